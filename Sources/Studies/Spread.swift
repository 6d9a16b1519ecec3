extension [Double] {
  /// The mean; NaN of none.
  package var mean: Double { reduce(0, +) / Double(count) }

  /// The sample standard deviation (divisor n − 1); nil for fewer than two values.
  package var deviation: Double? {
    guard count > 1 else { return nil }
    let mean = mean
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)).squareRoot()
  }
}
