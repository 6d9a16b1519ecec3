import LatentKit

extension Examples {
  /// Cuts the examples into `count` parts, each class alike, and takes one of them out; drawn by the seed and a name for
  /// the use. Both results keep the examples' order.
  ///
  /// Every example is in exactly one of the parts. The sizes of the parts, and how many of a class they have, differ by
  /// one at most: shuffled, then laid out class by class, the examples go round the parts, as in scikit-learn's
  /// `StratifiedKFold`.
  ///
  /// - Parameter index: Which part, from 0.
  /// - Throws: `DatasetError` for fewer than 2 parts, an index beyond them, or a class (without labels: all examples)
  ///   smaller than their number.
  public func fold(
    _ index: Int, of count: Int, seed: UInt64, for use: String, className: (Int) -> String = { "class \($0)" }
  ) throws -> (rest: Examples, fold: Examples) {
    guard count >= 2, (0..<count).contains(index) else {
      throw DatasetError("found fold \(index) of \(count), expected 2 folds or more, counted from 0")
    }
    var generator = try Generator(seed: seed, for: use)
    let shuffled = try generator.permutation(self.count).ints()
    var labels = try labels?.ints() ?? [Int](repeating: 0, count: self.count)
    // Those without a label are dealt out like a class of their own, however few they are.
    let hidden = -1
    for (position, isKnown) in try (isLabelled?.ints() ?? []).enumerated() where isKnown == 0 {
      labels[position] = hidden
    }
    var classes: [Int: [Int]] = [:]
    for position in shuffled { classes[labels[position], default: []].append(position) }
    let small = classes.filter { $0.key != hidden && $0.value.count < count }.map {
      (size: $0.value.count, label: $0.key)
    }
    // The smallest, so that the number of folds that is named works.
    if let (size, label) = small.min(by: <) {
      let owner =
        self.labels == nil
        ? "there are \(size) examples" : "'\(className(label))' has \(size) \(size == 1 ? "example" : "examples")"
      let names = small.map(\.label).sorted().map { "'\(className($0))'" }.listed(atMost: 5)
      let other = self.labels == nil ? "take more examples" : "leave \(names) out by data.holdOut"
      let advice =
        size > 1 ? "choose \(size) folds or fewer, or \(other)" : "no number of folds works with that; \(other)"
      throw DatasetError("\(owner), fewer than \(count) folds; \(advice)")
    }
    let order = classes.sorted { $0.key < $1.key }.flatMap(\.value)
    func part(_ isIn: (Int) -> Bool) throws -> Examples {
      try subset(Tensor(order.indices.filter(isIn).map { order[$0] }.sorted().map(Int64.init)))
    }
    return (try part { $0 % count != index }, try part { $0 % count == index })
  }
}
