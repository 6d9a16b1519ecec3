import LatentKit

/// The classifier of a finished run, by which metrics judge reconstructions and samples: its answers, and as features the latents that
/// its encoder gives.
struct IndependentClassifier {
  /// Inputs that it reads at once.
  private static let pieceSize = 500

  private let model: TrainedModel

  /// - Throws: `RecipeError` where the run cannot be opened, has no classifier, or knows other inputs or classes than the data.
  init(_ path: String?, in context: BuildContext) throws {
    guard let path, !path.isEmpty else {
      throw RecipeError(
        "\(context.title) judges by the classifier of another run, and none is named; train one and set classifier to its folder, "
          + "classifier: runs/judge say")
    }
    model = try context.trainedModel(path, classifying: true)
  }

  /// The length of a feature vector.
  var featureCount: Int { model.latentSize }

  /// Returns the likeliest class of each input, `[batch]` Int64, on the CPU.
  func classes(of inputs: Tensor) throws -> Tensor {
    try inPieces(inputs) { try model.scores($0).argmax(axis: 1) }
  }

  /// Returns the features of each input, `[batch, features]` Float64, on the CPU.
  func features(of inputs: Tensor) throws -> Tensor { try inPieces(inputs) { try model.latents($0).to(.float64) } }

  private func inPieces(_ inputs: Tensor, _ body: (Tensor) throws -> Tensor) throws -> Tensor {
    let count = try inputs.size(0)
    return try .concatenate(
      stride(from: 0, to: count, by: Self.pieceSize).map { start in
        try body(inputs.slice(start..<min(start + Self.pieceSize, count))).to(.cpu)
      })
  }

  /// The help of the setting that names the run.
  static let help = "The folder of a finished run with a classifier of the same classes, trained independently."
}

/// Examples by class, and how many of them were found to be of it.
struct ClassShares {
  private(set) var counts: [Int]
  private(set) var right: [Int]

  init(classes: Int) { (counts, right) = (Array(repeating: 0, count: classes), Array(repeating: 0, count: classes)) }

  /// Takes in the true and the found classes of some examples, `[batch]` each.
  mutating func add(_ labels: Tensor, found: Tensor) throws { try add(labels, areRight: found .== labels) }

  /// Takes in the classes of some examples and whether each was found, `[batch]` each.
  mutating func add(_ labels: Tensor, areRight: Tensor) throws {
    for (label, isRight) in zip(try labels.ints(), try areRight.ints()) {
      counts[label] += 1
      right[label] += isRight
    }
  }

  /// The share of all examples that are right, in percent; NaN of none.
  var percent: Double { 100 * Double(right.reduce(0, +)) / Double(counts.reduce(0, +)) }

  /// The share of each class in percent; NaN for a class without examples.
  var percents: [Double] { zip(right, counts).map { 100 * Double($0) / Double($1) } }
}
