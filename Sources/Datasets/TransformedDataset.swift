import LatentKit

extension Dataset {
  /// Fits transforms on the training part, and puts every part through them.
  ///
  /// Call it after the parts are cut, as transforms must not be fitted on held-out examples.
  /// - Throws: `RecipeError` where a transform cannot be fitted, or where what comes out is not finite: missing values
  ///   that nothing filled in, or numbers beyond Float32.
  public mutating func transform(
    _ transforms: [(name: String, transform: any Transform)]
  ) throws -> TransformChain {
    guard !train.areImages else {
      guard let first = transforms.first else { return TransformChain() }
      throw RecipeError("transform '\(first.name)' is for tables, and '\(name)' has images; take it out")
    }
    let chain = try TransformChain(transforms, fittedOn: train.inputs)
    try apply(chain)
    return chain
  }

  /// Puts the rows of every part through fitted transforms.
  ///
  /// - Throws: `RecipeError` where what comes out is not finite.
  package mutating func apply(_ chain: TransformChain) throws {
    train = try transformed(train, by: chain, "training")
    validation = try validation.map { try transformed($0, by: chain, "validation") }
    test = try test.map { try transformed($0, by: chain, "test") }
    unseen = try unseen.map { try transformed($0, by: chain, "held-out") }
  }

  private func transformed(_ examples: Examples, by chain: TransformChain, _ part: String) throws -> Examples {
    let inputs = try chain.apply(examples.inputs)
    if let place = try placeNotFinite(in: inputs) {
      let advice =
        try examples.inputs.isNaN().any()
        ? "fill missing values in with the transform 'impute'" : "check the recipe's transforms"
      throw RecipeError(
        "\(name): found a value that is not finite in column \(place.column) of the \(part) part, after the transforms; \(advice)"
      )
    }
    return try examples.with(inputs: inputs)
  }

  /// Returns the row, from 0, and the column of the first value that is not finite: by its name, or its number from 1. Nil where all
  /// are finite.
  ///
  /// - Parameter inputs: Rows like those of the data, `[count, features]`.
  package func placeNotFinite(in inputs: Tensor) throws -> (row: Int, column: String)? {
    guard try !inputs.isFinite().all() else { return nil }
    let place = try inputs.isFinite().not().nonzero().select(0).ints()
    return (place[0], featureNames.map { "'\($0[place[1]])'" } ?? "\(place[1] + 1)")
  }
}
