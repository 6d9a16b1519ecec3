import LatentKit

/// The weights of the examples of each class in terms that are given per example.
public enum ClassWeights: Codable, Equatable, Sendable {
  /// `count / (classes · count of the class)`, over the labelled training examples, as in scikit-learn.
  case balanced
  /// One for each class, 0 or more, in the order of the classes.
  case perClass([Double])

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let weights = try? container.decode([Double].self) {
      self = .perClass(weights)
    } else if let word = try? container.decode(String.self), word == "balanced" {
      self = .balanced
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected 'balanced' or a list of one number for each class")
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .balanced: try container.encode("balanced")
    case .perClass(let weights): try container.encode(weights)
    }
  }

  /// Returns one weight for each class.
  ///
  /// - Parameters:
  ///   - counts: The number of labelled training examples of each class.
  ///   - className: The name of a class in messages.
  /// - Throws: `DatasetError` for a list of another length, numbers that are negative, not finite or all 0, and for
  ///   `balanced` where a class has no example.
  public func values(
    _ counts: [Int], className: (Int) -> String = { "class \($0)" }
  ) throws -> [Double] {
    switch self {
    case .perClass(let weights):
      guard weights.count == counts.count else {
        throw DatasetError("found \(weights.count) weights, expected one for each of the \(counts.count) classes")
      }
      if let wrong = weights.first(where: { !$0.isFinite || $0 < 0 }) {
        throw DatasetError("found the weight \(wrong), expected finite numbers, 0 or more")
      }
      guard weights.contains(where: { $0 > 0 }) else {
        throw DatasetError("found weights that are all 0, expected at least one above 0")
      }
      return weights
    case .balanced:
      if let empty = counts.firstIndex(of: 0) {
        throw DatasetError(
          "'\(className(empty))' has no labelled training example to balance by; give a list of weights, or label more")
      }
      let total = Double(counts.reduce(0, +))
      return counts.map { total / (Double(counts.count) * Double($0)) }
    }
  }
}

extension Examples {
  /// Returns the examples with the weights of their classes; those without a label count 1.
  func weighted(_ classWeights: [Double]) throws -> Examples {
    guard let labels else { return self }
    let byClass = try Tensor(classWeights.map(Float.init)).to(labels.device)
    var weights = try byClass.rows(labels)
    if let isLabelled {
      let known = try isLabelled.to(.float32)
      weights = try weights * known + (1 - known)
    }
    return try Examples(inputs: inputs, labels: labels, isLabelled: isLabelled, weights: weights, rows: rows)
  }
}
