import LatentKit

/// Inputs with their labels, as they are kept in memory.
public struct Examples: Sendable {
  /// Images `[count, channels, height, width]`, UInt8 as stored, or rows of numbers `[count, features]`, Float32.
  public let inputs: Tensor
  /// `[count]`, Int64 from 0; nil without labels. Where a label is hidden there stands a 0 that means nothing.
  public let labels: Tensor?
  /// `[count]`, Bool: which examples have a label; nil where all have.
  public let isLabelled: Tensor?
  /// `[count]`, Float32, 0 or more: how much each counts in terms that are given per example; nil where all count alike.
  public let weights: Tensor?
  /// `[count]`, Int64: the row of each in the data as they were read, from 0; those of a `Dataset` are numbered over its parts,
  /// the training part first. Nil for examples that are in none.
  public let rows: Tensor?

  /// - Throws: `DatasetError` where the shapes or types are not those, there are no examples, or counts differ.
  public init(
    inputs: Tensor, labels: Tensor? = nil, isLabelled: Tensor? = nil, weights: Tensor? = nil, rows: Tensor? = nil
  ) throws {
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
          "found \(grouped(inputs.shape[0])) inputs and \(grouped(labels.count)) labels, expected equal counts"
        )
      }
    }
    for (name, values, dtype) in [
      ("mask of labels", isLabelled, DType.bool), ("weights", weights, .float32), ("rows", rows, .int64),
    ] {
      guard let values, values.shape != [inputs.shape[0]] || values.dtype != dtype else { continue }
      throw DatasetError(
        "found a \(name) of shape \(values.shape) and type \(values.dtype.rawValue), expected [\(inputs.shape[0])] of "
          + dtype.rawValue)
    }
    guard isLabelled == nil || labels != nil else { throw DatasetError("found a mask of labels, and no labels") }
    self.inputs = inputs
    self.labels = labels
    self.isLabelled = isLabelled
    self.weights = weights
    self.rows = rows
  }

  /// The number of examples.
  public var count: Int { inputs.shape[0] }
  /// Whether inputs are images rather than rows of numbers.
  public var areImages: Bool { inputs.rank == 4 }

  /// `[channels, height, width]` or `[features]`.
  public var inputShape: [Int] { Array(inputs.shape.dropFirst()) }

  /// Returns a copy of the examples at `indices`, `[n]` Int64, in their order.
  public func subset(_ indices: Tensor) throws -> Examples {
    let indices = try indices.to(inputs.device)
    return try mapped { try $0.rows(indices) }
  }

  /// Returns a contiguous range of examples without a copy.
  public func slice(_ range: Range<Int>) throws -> Examples { try mapped { try $0.slice(range) } }

  /// Returns the examples of some parts of the same data, one after the other.
  static func concatenated(_ parts: [Examples]) throws -> Examples {
    func joined(_ values: [Tensor?]) throws -> Tensor? {
      let there = values.compactMap { $0 }
      return there.count == values.count ? try .concatenate(there) : nil
    }
    return try Examples(
      inputs: .concatenate(parts.map(\.inputs)), labels: joined(parts.map(\.labels)), rows: joined(parts.map(\.rows)))
  }

  /// Returns the examples on a device.
  func to(_ device: Device) throws -> Examples { try mapped { try $0.to(device) } }

  /// Returns the examples with other inputs, transformed ones say.
  func with(inputs: Tensor) throws -> Examples {
    try Examples(inputs: inputs, labels: labels, isLabelled: isLabelled, weights: weights, rows: rows)
  }

  /// Returns the examples with rows counted from `first`, unless they have some.
  func numbered(from first: Int) throws -> Examples {
    guard rows == nil else { return self }
    return try Examples(
      inputs: inputs, labels: labels, isLabelled: isLabelled, weights: weights,
      rows: .range(first, first + count))
  }

  /// Returns the examples without their rows, which training has no use for.
  func withoutRows() throws -> Examples {
    try Examples(inputs: inputs, labels: labels, isLabelled: isLabelled, weights: weights)
  }

  private func mapped(_ change: (Tensor) throws -> Tensor) throws -> Examples {
    try Examples(
      inputs: change(inputs), labels: labels.map(change), isLabelled: isLabelled.map(change),
      weights: weights.map(change), rows: rows.map(change))
  }

  /// The use for which examples that give their labels are drawn: those that `data.labelled` keeps, those of a stage with
  /// `examples` and those of probes are the same for one seed, and more of them hold the fewer ones.
  public static let labelOrder = "data.labelled"

  /// Returns `count` of the examples, balanced over classes as far as there are enough of each, drawn by the seed and a name
  /// for the use. They keep their order. Where labels are hidden, as large a share of them has one as of all.
  /// - Throws: `DatasetError` where there are fewer.
  public func balanced(_ count: Int, seed: UInt64, for use: String) throws -> Examples {
    guard count > 0, count <= self.count else {
      throw DatasetError(
        "asked for \(grouped(count)) of \(grouped(self.count)) examples; ask for 1 to \(grouped(self.count))")
    }
    var generator = try Generator(seed: seed, for: use)
    let chosen = try spread(evenly: true, using: &generator).prefix(count).sorted()
    return try subset(Tensor(chosen.map(Int64.init)))
  }

  /// Cuts the examples in two, `share` of every class into the second part, drawn by the seed and a name for the use.
  /// Both keep their order. The second part has `share * count` examples, rounded, and at least one.
  public func split(share: Double, seed: UInt64, for use: String) throws -> (kept: Examples, held: Examples) {
    let heldCount = max(1, Int((share * Double(count)).rounded()))
    guard count > 1 else {
      throw DatasetError(
        "found \(count) of the 2 or more examples that are needed to hold a share of them out; take more")
    }
    guard share > 0, heldCount < count else {
      throw DatasetError(
        "a share of \(share) of \(grouped(count)) examples is \(share > 0 ? "all" : "none") of them, and both parts need one; "
          + "choose a share above 0 and at most \(Double(count - 1) / Double(count))")
    }
    var generator = try Generator(seed: seed, for: use)
    let order = try spread(evenly: false, using: &generator)
    func part(_ positions: ArraySlice<Int>) throws -> Examples {
      try subset(Tensor(positions.sorted().map(Int64.init)))
    }
    return (try part(order[heldCount...]), try part(order[..<heldCount]))
  }

  /// Returns all positions in a random order of which every beginning holds the classes evenly, or in proportion to their
  /// sizes; those without a label among them in proportion.
  private func spread(evenly: Bool, using generator: inout Generator) throws -> [Int] {
    guard let mask = try isLabelled?.ints() else {
      return try order(of: Array(0..<count), evenly: evenly, using: &generator)
    }
    let known = try order(of: mask.indices.filter { mask[$0] == 1 }, evenly: evenly, using: &generator)
    let hidden = mask.indices.filter { mask[$0] == 0 }
    let shuffled = hidden.isEmpty ? [] : try generator.permutation(hidden.count).ints().map { hidden[$0] }
    let keys = [known, shuffled].flatMap { part in
      part.indices.map { (key: (Double($0) + 0.5) / Double(part.count), position: part[$0]) }
    }
    return keys.sorted { ($0.key, $0.position) < ($1.key, $1.position) }.map(\.position)
  }

  /// Returns some positions in a random order of which every beginning holds the classes evenly, or in proportion to their
  /// sizes.
  func order(of positions: [Int], evenly: Bool, using generator: inout Generator) throws -> [Int] {
    try Examples.order(of: positions, by: labels?.ints(), evenly: evenly, using: &generator)
  }

  /// Returns some positions in a random order of which every beginning holds the classes evenly, or in proportion to their sizes.
  ///
  /// - Parameter labels: Those of all examples; nil for any order.
  public static func order(
    of positions: [Int], by labels: [Int]?, evenly: Bool, using generator: inout Generator
  ) throws -> [Int] {
    guard !positions.isEmpty else { return [] }
    let shuffled = try generator.permutation(positions.count).ints().map { positions[$0] }
    guard let labels else { return shuffled }
    var sizes: [Int: Int] = [:]
    for position in positions { sizes[labels[position], default: 0] += 1 }
    var ranks: [Int: Int] = [:]
    let keys = shuffled.map { position in
      let label = labels[position]
      let rank = ranks[label, default: 0]
      ranks[label] = rank + 1
      return evenly ? Double(rank) : (Double(rank) + 0.5) / Double(sizes[label, default: 1])
    }
    return shuffled.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { shuffled[$0] }
  }
}
