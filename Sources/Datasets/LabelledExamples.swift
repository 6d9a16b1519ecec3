import LatentKit

/// The number of training examples that keep their label: `100` of them, or `5%`.
public enum LabelledExamples: Codable, Equatable, Sendable {
  case count(Int)
  /// Above 0, up to 100.
  case percent(Double)

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let count = try? container.decode(Int.self), count > 0 {
      self = .count(count)
    } else if let text = try? container.decode(String.self), let value = LabelledExamples(text) {
      self = value
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected a number of examples such as 100, or a share such as '5%'")
    }
  }

  /// Reads `100` or `5%`; nil for anything else, 0 and more than 100 % among it.
  public init?(_ text: String) {
    if text.hasSuffix("%") {
      guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { return nil }
      self = .percent(percent)
    } else {
      guard let count = Int(text), count > 0 else { return nil }
      self = .count(count)
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .count(let count): try container.encode(count)
    case .percent: try container.encode(text)
    }
  }

  /// `100`, `5%`
  var text: String {
    switch self {
    case .count(let count): "\(count)"
    case .percent(let percent): Int(exactly: percent).map { "\($0)%" } ?? "\(percent)%"
    }
  }

  /// Returns the number of examples among `count`; a share is rounded.
  func count(of count: Int) -> Int {
    switch self {
    case .count(let wanted): wanted
    case .percent(let percent): Int((percent / 100 * Double(count)).rounded())
    }
  }
}

extension Examples {
  /// Returns the examples with the labels of all but `count` of them hidden. Those that keep theirs are spread evenly over
  /// classes as far as there are enough of each, drawn by the seed and a name for the use. A hidden label becomes 0.
  /// - Throws: `DatasetError` without labels, and for more examples than have one.
  public func hidingLabels(exceptFor count: Int, seed: UInt64, for use: String) throws -> Examples {
    guard let labels else { throw DatasetError("there are no labels to hide") }
    let known = try isLabelled.map { try $0.nonzero().squeezed(1).ints() } ?? Array(0..<self.count)
    guard count > 0, count <= known.count else {
      throw DatasetError(
        "asked for labels of \(grouped(count)) examples, and \(grouped(known.count)) have one; ask for 1 to "
          + grouped(known.count))
    }
    var generator = try Generator(seed: seed, for: use)
    var mask = [Bool](repeating: false, count: self.count)
    for position in try order(of: known, evenly: true, using: &generator).prefix(count) { mask[position] = true }
    let isLabelled = try Tensor(mask.map { UInt8($0 ? 1 : 0) }).to(.bool).to(labels.device)
    return try Examples(
      inputs: inputs, labels: labels * isLabelled.to(.int64), isLabelled: isLabelled, weights: weights, rows: rows)
  }

  /// Returns the classes of which no example has a label; none without labels.
  public func missingClasses(_ classCount: Int?) throws -> [Int] {
    guard let classCount, let labels = try labels?.ints() else { return [] }
    var isThere = [Bool](repeating: false, count: classCount)
    let isLabelled = try isLabelled?.ints()
    for (position, label) in labels.enumerated() where isLabelled?[position] != 0 { isThere[label] = true }
    return isThere.indices.filter { !isThere[$0] }
  }

  /// Returns the number of labelled examples of each class.
  public func labelledCounts(_ classCount: Int) throws -> [Int] {
    guard let labels else { return [Int](repeating: 0, count: classCount) }
    var members = try labels.oneHot(classCount).to(.int64)
    if let isLabelled { members = try members * isLabelled.to(.int64).unsqueezed(1) }
    return try members.sum(axis: 0).ints()
  }
}
