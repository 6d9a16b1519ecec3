import Baseline
import Foundation
import LatentKit
import Testing

private func build<T: Transform & Component>(_ type: T.Type, _ change: (inout T.Config) -> Void = { _ in }) throws -> T
{
  var config = T.Config()
  change(&config)
  let scope = try Scope(path: "transforms.0", store: ParameterStore(), seed: 0)
  return try T(config, in: BuildContext(inputShape: [3], scope: scope, title: "transform 'x'"))
}

/// 40 rows of three columns of very different scale; the last column has one value only.
private let rows: [[Double]] = (0..<40).map { row in
  [sin(Double(row)) * 3 - 1, 5000 + 400 * cos(Double(row * row)), 2.5]
}

private func tensor(_ rows: [[Double]]) throws -> Tensor {
  try Tensor(rows.flatMap { $0.map { Float($0) } }, shape: [rows.count, rows[0].count])
}

private func expectClose(_ found: Tensor, _ expected: [[Double]], _ tolerance: Double = 1e-5) throws {
  for (found, expected) in zip(try found.doubles(), expected.flatMap { $0 }) {
    #expect(abs(found - expected) <= tolerance * max(1, abs(expected)), "\(found) \(expected)")
  }
}

@Test func centeredAndScaledColumnsMatchALoop() throws {
  let inputs = try tensor(rows)
  let means = (0..<3).map { column in rows.map { $0[column] }.reduce(0, +) / 40 }
  let deviations = (0..<3).map { (column: Int) -> Double in
    let squares = rows.map { row in (row[column] - means[column]) * (row[column] - means[column]) }
    return (squares.reduce(0, +) / 40).squareRoot()
  }
  let centered = try build(CenterTransform.self).fit(inputs)
  try expectClose(try centered.apply(inputs), rows.map { zip($0, means).map { $0 - $1 } }, 1e-4)
  let scaled = try build(ScaleTransform.self).fit(inputs)
  let divisors = [deviations[0], deviations[1], 1]
  try expectClose(try scaled.apply(inputs), rows.map { zip($0, divisors).map { $0 / $1 } })
  #expect(centered.outputRange == nil && scaled.outputRange == nil)
}

@Test func logarithmsFollowTheirFormulas() throws {
  let values: [[Double]] = [[0, 1, -0.5, -1, -3, 1000]]
  let signed = try build(LogTransform.self).fit(tensor(values))
  try expectClose(try signed.apply(tensor(values)), [values[0].map { ($0 < 0 ? -1 : 1) * log(1 + abs($0)) }])
  try expectClose(try signed.invert(signed.apply(tensor(values))), values)
  let authors = try build(LogTransform.self) { $0.fidelity = .authorCode }.fit(tensor(values))
  try expectClose(try authors.apply(tensor(values)), [values[0].map { log(max(abs($0 + 1), 1e-6)) }])
  // Above -1 it can be taken back.
  let above = try tensor([[0, 1, -0.5, 1000]])
  try expectClose(try authors.invert(authors.apply(above)), [[0, 1, -0.5, 1000]])
}

@Test func minMaxGivesItsRangeAndCutsWhatIsBeyond() throws {
  let fitted = try build(MinMaxTransform.self) { ($0.low, $0.high) = (-1, 1) }.fit(tensor(rows))
  let outputs = try fitted.apply(tensor(rows))
  #expect(fitted.outputRange == -1...1)
  #expect(try outputs.min(axis: 0).floats() == [-1, -1, -1])
  #expect(try outputs.max(axis: 0).floats() == [1, 1, -1])
  #expect(try fitted.apply(tensor([[99, -99, 2.5]])).floats() == [1, -1, -1])
  #expect(throws: RecipeError.self) { try build(MinMaxTransform.self) { $0.low = 1 } }
}

@Test func missingValuesAreFilledInByTrainingValues() throws {
  let nan = Double.nan
  let training = try tensor([[1, nan, 7], [nan, 4, 7], [2, 8, 9], [9, nan, nan]])
  let test = try tensor([[nan, nan, nan], [5, 5, 5]])
  let expected: [(ImputeTransform.Method, [Double])] = [
    (.mean, [4, 6, 23.0 / 3]), (.median, [2, 6, 7]), (.zero, [0, 0, 0]),
  ]
  for (method, values) in expected {
    let fitted = try build(ImputeTransform.self) { $0.method = method }.fit(training)
    try expectClose(try fitted.apply(test), [values, [5, 5, 5]])
  }
  let even = try build(ImputeTransform.self).fit(tensor([[1, 1], [3, 1], [nan, 1], [5, 1], [9, 1]]))
  try expectClose(try even.apply(tensor([[nan, nan]])), [[4, 1]])
  #expect(throws: RecipeError.self) { try build(ImputeTransform.self).fit(tensor([[1, nan], [2, nan]])) }
  #expect(throws: RecipeError.self) { try build(CenterTransform.self).fit(training) }
}

private func chain(_ inputs: Tensor) throws -> TransformChain {
  try TransformChain(
    [
      ("impute", build(ImputeTransform.self)), ("log1p", build(LogTransform.self)),
      ("center", build(CenterTransform.self)), ("scale", build(ScaleTransform.self)),
      ("min-max", build(MinMaxTransform.self)),
    ], fittedOn: inputs)
}

@Test func aChainIsFittedLinkByLinkAndTakesRowsBack() throws {
  let inputs = try tensor(rows)
  let fitted = try chain(inputs)
  let outputs = try fitted.apply(inputs)
  #expect(fitted.outputRange == 0...1)
  #expect(try outputs.min().item() >= 0 && outputs.max().item() <= 1)
  try expectClose(try fitted.invert(outputs), rows, 1e-4)
}
