import LatentKit

/// How many examples of each true class are predicted to be of each class, and the measures that follow from it.
public struct ConfusionMatrix: Sendable, Equatable {
  /// By true class, then by predicted class.
  public let counts: [[Int]]
  /// The examples of each true class, those among them of which no class is predicted too.
  private let occurrences: [Int]

  /// - Parameters:
  ///   - truth: The number of each example's class, below `classCount`.
  ///   - predicted: That of the class which is predicted of it; from `classCount` on it is none of the classes.
  public init(truth: [Int], predicted: [Int], classCount: Int) {
    var counts = Array(repeating: Array(repeating: 0, count: classCount), count: classCount)
    var occurrences = Array(repeating: 0, count: classCount)
    for (label, prediction) in zip(truth, predicted) {
      occurrences[label] += 1
      if prediction < classCount { counts[label][prediction] += 1 }
    }
    (self.counts, self.occurrences) = (counts, occurrences)
  }

  /// Counts classes by their names.
  ///
  /// - Parameters:
  ///   - truth: The class of each example, one of `classes`.
  ///   - predicted: The class that is predicted of it; what is none of `classes` is none.
  ///   - classes: Their names in order; of two that are the same the first counts.
  public init(truth: [String], predicted: [String], classes: [String]) {
    let places = Dictionary(zip(classes, classes.indices)) { first, _ in first }
    let known = zip(truth, predicted).compactMap { truth, predicted in
      places[truth].map { (truth: $0, predicted: places[predicted] ?? classes.count) }
    }
    self.init(truth: known.map(\.truth), predicted: known.map(\.predicted), classCount: classes.count)
  }

  /// The share of examples whose class is predicted, 0 to 1; nil without examples.
  public var accuracy: Double? {
    let all = occurrences.reduce(0, +)
    return all == 0 ? nil : Double(counts.indices.reduce(0) { $0 + counts[$1][$1] }) / Double(all)
  }

  /// The share of each class's examples whose class is predicted, averaged over the classes that occur, 0 to 1; nil without
  /// examples. As scikit-learn's `balanced_accuracy_score`.
  public var balancedAccuracy: Double? {
    let recalls = counts.indices.filter { occurrences[$0] > 0 }.map {
      Double(counts[$0][$0]) / Double(occurrences[$0])
    }
    return recalls.isEmpty ? nil : recalls.reduce(0, +) / Double(recalls.count)
  }

  /// `2 TP/(2 TP + FP + FN)` of each class, averaged over the classes that occur or are predicted, 0 to 1; nil without examples.
  /// As scikit-learn's `f1_score` with `average="macro"`.
  public var macroF1: Double? {
    let scores: [Double] = counts.indices.compactMap { label in
      let predicted = counts.reduce(0) { $0 + $1[label] }
      let sum = occurrences[label] + predicted
      return sum == 0 ? nil : 2 * Double(counts[label][label]) / Double(sum)
    }
    return scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count)
  }

  /// Returns it as a table.
  ///
  /// - Parameter names: The names of the classes, in the order of their numbers.
  public func table(_ names: [String]) -> MeasuredTable {
    MeasuredTable(
      rowTitle: "true class", rows: names, columnTitle: "predicted class", columns: names,
      values: counts.map { $0.map(Double.init) })
  }
}
