import LatentKit

extension MeasuredTable {
  /// Creates the table of how many examples of each true class are predicted to be of each class.
  ///
  /// - Parameters:
  ///   - truth: The number of each example's class.
  ///   - predicted: That of the class which is predicted of it; what is none of the classes is not counted.
  ///   - names: The names of the classes, in the order of their numbers.
  public init(confusionOf truth: [Int], predicted: [Int], names: [String]) {
    var counts = names.map { _ in names.map { _ in 0.0 } }
    for (label, prediction) in zip(truth, predicted) where prediction < names.count { counts[label][prediction] += 1 }
    self.init(rowTitle: "true class", rows: names, columnTitle: "predicted class", columns: names, values: counts)
  }
}
