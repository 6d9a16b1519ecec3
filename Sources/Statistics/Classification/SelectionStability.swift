/// How stable the features are that several runs select, chance taken out (Nogueira, Sechidis & Brown 2018, JMLR 18:174).
///
/// With the frequency `p_f` at which feature `f` of `d` is selected in `M` runs, and the mean `k̄` of how many are,
///
///     Φ = 1 − (1/d Σ_f M/(M−1) p_f (1 − p_f)) / (k̄/d (1 − k̄/d))        (definition 4)
///
/// It is 1 where all runs select the same, and 0 in expectation where each selects at random.
public struct SelectionStability: Sendable {
  /// The number of runs.
  public let runs: Int
  /// The frequency of each feature, from 0 to 1.
  public let frequencies: [Double]
  /// The index; nil for fewer than two runs, and where all features are selected in each run, or none is.
  public let index: Double?
  /// The ends of the index's 95 % confidence interval, by the normal approximation of theorem 7; nil without an index.
  public let interval: ClosedRange<Double>?

  /// The mean number of features that a run selects.
  public var meanCount: Double { frequencies.reduce(0, +) }

  /// - Parameters:
  ///   - selections: The features that each run selects, by their places from 0.
  ///   - count: `d`, the number of features there are.
  public init(_ selections: [Set<Int>], of count: Int) {
    runs = selections.count
    let (runs, features) = (Double(selections.count), Double(count))
    let frequencies = (0..<count).map { feature in Double(selections.count { $0.contains(feature) }) / max(runs, 1) }
    self.frequencies = frequencies
    let share = frequencies.reduce(0, +) / features
    let chance = share * (1 - share)
    guard selections.count > 1, count > 0, chance > 0 else {
      (index, interval) = (nil, nil)
      return
    }
    let spread = frequencies.reduce(0) { $0 + runs / (runs - 1) * $1 * (1 - $1) } / features
    let index = 1 - spread / chance
    // Theorem 7: the contribution of each run, and the variance of their mean.
    let contributions = selections.map { selection in
      let own = Double(selection.count) / features
      let agreement = selection.reduce(0) { $0 + frequencies[$1] } / features
      return (agreement - own * share + index / 2 * (2 * own * share - own - share + 1)) / chance
    }
    let mean = contributions.reduce(0, +) / runs
    let variance = 4 / (runs * runs) * contributions.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let half = 1.959_963_984_540_054 * variance.squareRoot()
    (self.index, interval) = (index, (index - half)...(index + half))
  }
}
