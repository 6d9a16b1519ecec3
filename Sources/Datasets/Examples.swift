import LatentKit

/// Inputs with their labels, as they are kept in memory.
public struct Examples: Sendable {
  /// Images `[count, channels, height, width]`, UInt8 as stored, or rows of numbers `[count, features]`, Float32.
  public let inputs: Tensor
  /// `[count]`, Int64 from 0; nil without labels.
  public let labels: Tensor?

  /// - Throws: `DatasetError` where the shapes or types are not those, there are no examples, or counts differ.
  public init(inputs: Tensor, labels: Tensor? = nil) throws {
    switch (inputs.rank, inputs.dtype) {
    case (4, .uint8), (2, .float32): break
    default:
      throw DatasetError(
        "found inputs of shape \(inputs.shape) and type \(inputs.dtype.rawValue), expected "
          + "[count, channels, height, width] of uint8 or [count, features] of float32")
    }
    guard inputs.count > 0 else { throw DatasetError("found no examples, expected at least one") }
    if let labels {
      guard labels.rank == 1, labels.dtype == .int64 else {
        throw DatasetError(
          "found labels of shape \(labels.shape) and type \(labels.dtype.rawValue), expected [count] of int64")
      }
      guard labels.count == inputs.shape[0] else {
        throw DatasetError(
          "found \(grouped(inputs.shape[0])) inputs and \(grouped(labels.count)) labels, expected as many"
        )
      }
    }
    self.inputs = inputs
    self.labels = labels
  }

  public var count: Int { inputs.shape[0] }
  public var areImages: Bool { inputs.rank == 4 }

  /// `[channels, height, width]` or `[features]`.
  public var inputShape: [Int] { Array(inputs.shape.dropFirst()) }

  /// The examples at `indices`, `[n]` Int64, in their order; a copy.
  public func subset(_ indices: Tensor) throws -> Examples {
    let indices = try indices.to(inputs.device)
    return try Examples(inputs: inputs.rows(indices), labels: labels?.rows(indices))
  }

  /// A contiguous range of examples; nothing is copied.
  public func slice(_ range: Range<Int>) throws -> Examples {
    try Examples(inputs: inputs.slice(range), labels: labels?.slice(range))
  }

  /// `count` of the examples, balanced over classes as far as there are enough of each, drawn by the seed and a name
  /// for the use. They keep their order.
  /// - Throws: `DatasetError` where there are fewer.
  public func balanced(_ count: Int, seed: UInt64, for use: String) throws -> Examples {
    guard count > 0, count <= self.count else {
      throw DatasetError(
        "asked for \(grouped(count)) of \(grouped(self.count)) examples; ask for 1 to \(grouped(self.count))")
    }
    var generator = try Generator(seed: seed, for: use)
    let chosen = try spread(.evenly, using: &generator).prefix(count).sorted()
    return try subset(Tensor(chosen.map(Int64.init)))
  }

  /// Cuts the examples in two, `share` of every class into the second part, drawn by the seed and a name for the use.
  /// Both keep their order. The second part has `share * count` examples, rounded, and at least one.
  public func split(share: Double, seed: UInt64, for use: String) throws -> (kept: Examples, held: Examples) {
    let heldCount = max(1, Int((share * Double(count)).rounded()))
    guard share > 0, heldCount < count else {
      throw DatasetError(
        "cannot hold out a share of \(share) of \(grouped(count)) examples; choose one between 0 and 1")
    }
    var generator = try Generator(seed: seed, for: use)
    let order = try spread(.inProportion, using: &generator)
    func part(_ positions: ArraySlice<Int>) throws -> Examples {
      try subset(Tensor(positions.sorted().map(Int64.init)))
    }
    return (try part(order[heldCount...]), try part(order[..<heldCount]))
  }

  private enum Spread { case evenly, inProportion }

  /// All positions in a random order of which every beginning holds the classes evenly, or in proportion to their
  /// sizes.
  private func spread(_ spread: Spread, using generator: inout Generator) throws -> [Int] {
    let shuffled = try generator.permutation(count).ints()
    guard let labels = try labels?.ints() else { return shuffled }
    var sizes: [Int: Int] = [:]
    for label in labels { sizes[label, default: 0] += 1 }
    var ranks: [Int: Int] = [:]
    let keys = shuffled.map { position in
      let label = labels[position]
      let rank = ranks[label, default: 0]
      ranks[label] = rank + 1
      return spread == .evenly ? Double(rank) : (Double(rank) + 0.5) / Double(sizes[label, default: 1])
    }
    return shuffled.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { shuffled[$0] }
  }
}
