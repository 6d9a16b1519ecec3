import Foundation
import Statistics
import Testing

@Test func equalSelectionsAreStableAndOppositeOnesAreNot() {
  let equal = SelectionStability([[0, 2], [0, 2], [0, 2]], of: 5)
  #expect(equal.index == 1 && equal.frequencies == [1, 0, 1, 0, 0] && equal.meanCount == 2)
  #expect(abs(equal.interval!.upperBound - 1) < 1e-12)
  // Two runs that agree on nothing: each feature has p = 1/2 and so the variance 2 · 1/4, of 1/4 by chance.
  #expect(SelectionStability([[0], [1]], of: 2).index == -1)
}

@Test func stabilityIsUndefinedWithoutAChoice() {
  #expect(SelectionStability([[0, 1]], of: 3).index == nil, "one run")
  #expect(SelectionStability([[0, 1], [0, 1]], of: 2).index == nil, "all features")
  #expect(SelectionStability([[], []], of: 2).interval == nil, "none")
  #expect(SelectionStability([], of: 2).index == nil)
}

@Test func stabilityOfSelectionsOfOneSizeIsTheMeanOfKunchevasIndexOverPairs() throws {
  let selections: [Set<Int>] = [[0, 1, 2], [0, 1, 3], [0, 4, 5], [2, 1, 0]]
  let (size, all) = (3.0, 8.0)
  var pairs: [Double] = []
  for first in selections.indices {
    for second in selections.indices where first < second {
      let common = Double(selections[first].intersection(selections[second]).count)
      pairs.append((common - size * size / all) / (size - size * size / all))
    }
  }
  let index = try #require(SelectionStability(selections, of: 8).index)
  #expect(abs(index - pairs.reduce(0, +) / Double(pairs.count)) < 1e-12)
}

@Test func theIntervalIsThatOfTheoremSevenInLoops() throws {
  let selections: [Set<Int>] = [[0, 1, 2], [0, 1], [0, 4, 5, 6], [2, 1, 0]]
  let (runs, count) = (Double(selections.count), 9)
  let rows = selections.map { selection in (0..<count).map { selection.contains($0) ? 1.0 : 0 } }
  let frequencies = (0..<count).map { feature in rows.reduce(0) { $0 + $1[feature] } / runs }
  let d = Double(count)
  let mean = rows.reduce(0) { $0 + $1.reduce(0, +) } / runs
  let chance = mean / d * (1 - mean / d)
  let variance = frequencies.map { $0 * (1 - $0) * runs / (runs - 1) }.reduce(0, +) / d
  let index = 1 - variance / chance
  let parts = rows.map { row -> Double in
    let k = row.reduce(0, +)
    var sum = 0.0
    for feature in 0..<count { sum += row[feature] * frequencies[feature] / d }
    return (sum - k * mean / (d * d) + index / 2 * (2 * mean * k / (d * d) - k / d - mean / d + 1)) / chance
  }
  let average = parts.reduce(0, +) / runs
  let deviation = (4 / (runs * runs) * parts.reduce(0) { $0 + pow($1 - average, 2) }).squareRoot()
  let found = SelectionStability(selections, of: count)
  #expect(abs(try #require(found.index) - index) < 1e-12)
  let interval = try #require(found.interval)
  #expect(abs(interval.lowerBound - (index - 1.96 * deviation)) < 1e-4)
  #expect(abs(interval.upperBound - (index + 1.96 * deviation)) < 1e-4)
}
