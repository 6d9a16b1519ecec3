import Foundation
import LatentKit
import SparseSAE
import Testing

// Every projection is recomputed here with loops over sorted arrays of Double.

private typealias Matrix = [[Double]]  // groups of weights

private func threshold(_ sizes: [Double], _ radius: Double) -> Double {
  guard sizes.reduce(0, +) > radius else { return 0 }
  var (sum, tau) = (0.0, 0.0)
  for (index, size) in sizes.sorted(by: >).enumerated() {
    sum += size
    let next = (sum - radius) / Double(index + 1)
    guard size > next else { break }
    tau = next
  }
  return radius == 0 ? .infinity : tau
}

private func shrunk(_ group: [Double], _ tau: Double) -> [Double] {
  group.map { abs($0) > tau ? ($0 < 0 ? $0 + tau : $0 - tau) : 0 }
}

private func size(_ group: [Double]) -> Double { group.reduce(0) { $0 + abs($1) } }
private func length(_ group: [Double]) -> Double { group.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private func norm(_ ball: NormBall, _ groups: Matrix) -> Double {
  switch ball {
  case .l1, .l11: size(groups.map(size))
  case .l12: length(groups.map(size))
  case .l21: size(groups.map(length))
  }
}

/// The l1 norm `s` of a group after the projection onto the l1,2 ball with this multiplier: `s = Σ max(|v| − λ s, 0)`.
private func shrunkSize(_ group: [Double], _ multiplier: Double) -> Double {
  var (sum, result) = (0.0, 0.0)
  for (index, size) in group.map(abs).sorted(by: >).enumerated() {
    sum += size
    let next = sum / (1 + multiplier * Double(index + 1))
    guard size > multiplier * next else { break }
    result = next
  }
  return result
}

private func reference(_ ball: NormBall, _ groups: Matrix, _ radius: Double) -> Matrix {
  guard norm(ball, groups) > radius else { return groups }
  switch ball {
  case .l1:
    let tau = threshold(groups.flatMap { $0.map(abs) }, radius)
    return groups.map { shrunk($0, tau) }
  case .l11:
    let cut = threshold(groups.map(size), radius)
    return groups.map { shrunk($0, threshold($0.map(abs), max(size($0) - cut, 0))) }
  case .l21:
    let cut = threshold(groups.map(length), radius)
    return groups.map { group in group.map { length(group) > cut ? $0 * (1 - cut / length(group)) : 0 } }
  case .l12:
    guard radius > 0 else { return groups.map { $0.map { _ in 0 } } }
    var (low, high) = (0.0, 1.0)
    while length(groups.map { shrunkSize($0, high) }) > radius { high *= 2 }
    for _ in 0..<200 {
      let middle = (low + high) / 2
      if length(groups.map { shrunkSize($0, middle) }) > radius { low = middle } else { high = middle }
    }
    return groups.map { shrunk($0, high * shrunkSize($0, high)) }
  }
}

private func constraint(_ ball: NormBall, _ radius: Double, _ groups: WeightGroups = .rows) throws -> any Constraint {
  let context = BuildContext(inputShape: [4], scope: try Scope(path: "test"), title: "constraint '\(ball)-ball'")
  var config = GroupedBallConfig()
  (config.radius, config.groups) = (radius, groups)
  switch ball {
  case .l1:
    var config = L1Ball.Config()
    config.radius = radius
    return try L1Ball(config, in: context)
  case .l11: return try L11Ball(config, in: context)
  case .l12: return try L12Ball(config, in: context)
  case .l21: return try L21Ball(config, in: context)
  }
}

/// Projects a matrix whose rows, or columns, are the groups.
private func projected(
  _ ball: NormBall, _ matrix: Matrix, _ radius: Double, _ groups: WeightGroups = .rows, _ dtype: DType = .float64
) throws -> Matrix {
  let rows = try Tensor(matrix.flatMap { $0 }, shape: [matrix.count, matrix[0].count]).to(dtype)
  let weights = try (groups == .rows ? rows : rows.transposed()).contiguous()
  try constraint(ball, radius, groups).project(weights)
  let values = try (groups == .rows ? weights : weights.transposed()).contiguous().doubles()
  return matrix.indices.map { Array(values[$0 * matrix[0].count..<($0 + 1) * matrix[0].count]) }
}

private func random(_ rows: Int, _ columns: Int, _ seed: UInt64, spread: Bool = true) throws -> Matrix {
  var generator = try Generator(seed: seed)
  let values = try generator.normal([rows, columns], dtype: .float64).to(.float32).doubles()
  // Groups of different sizes, so that some of them vanish.
  return (0..<rows).map { row in
    values[row * columns..<(row + 1) * columns].map { $0 * (spread ? Double(1 + row % 5) / 4 : 1) }
  }
}

private func largest(_ a: Matrix, _ b: Matrix) -> Double {
  zip(a.joined(), b.joined()).map { abs($0 - $1) }.max() ?? 0
}

/// Random, tied, sparse and odd matrices.
private func matrices() throws -> [Matrix] {
  var sparse = try random(9, 70, 3)
  for row in sparse.indices {
    for column in sparse[row].indices where (row + column) % 3 > 0 { sparse[row][column] = 0 }
  }
  sparse[4] = sparse[4].map { _ in 0 }
  return [
    try random(7, 33, 1), try random(40, 3, 2), sparse, try random(1, 50, 4), try random(50, 1, 5),
    try random(70, 45, 6),
    Array(repeating: Array(repeating: 0.5, count: 6), count: 4),  // all tied
    (0..<5).map { row in (0..<8).map { Double(($0 + row) % 3 - 1) } },  // tied in groups, with zeros
    [(0..<60).map { pow(0.7, Double($0)) }, (0..<60).map { -pow(1.3, Double($0)) }],  // drop out a few at a time
    [[3]], [[0, 0], [0, -2]], Array(repeating: Array(repeating: 0, count: 3), count: 2),
  ]
}

@Suite struct Balls {
  @Test(arguments: NormBall.allCases, WeightGroups.allCases)
  func aProjectionMatchesASortBasedReference(ball: NormBall, groups: WeightGroups) throws {
    for matrix in try matrices() {
      let whole = norm(ball, matrix)
      for radius in [0, 1e-6, 0.01, 0.2, 0.7, 0.999, 1, 1.5].map({ $0 * whole }) {
        let expected = reference(ball, matrix, radius)
        let scale = matrix.joined().map(abs).max() ?? 0
        // Rounding of sums of up to some thousand doubles; then that of the weights themselves.
        #expect(largest(try projected(ball, matrix, radius, groups), expected) <= 1e-12 * scale)
        #expect(largest(try projected(ball, matrix, radius, groups, .float32), expected) <= 3e-7 * scale)
      }
    }
  }

  @Test(arguments: NormBall.allCases, WeightGroups.allCases)
  func insideTheBallNoBitChanges(ball: NormBall, groups: WeightGroups) throws {
    for dtype in [DType.float32, .float64] {
      let matrix = try random(13, 21, 7)
      let weights = try Tensor(matrix.flatMap { $0 }, shape: [13, 21]).to(dtype)
      let before = try weights.bytes()
      let columns = (0..<21).map { column in matrix.map { $0[column] } }
      try constraint(ball, norm(ball, groups == .rows ? matrix : columns) * (1 + 1e-9), groups).project(weights)
      #expect(try weights.bytes() == before)
    }
  }

  @Test(arguments: NormBall.allCases, WeightGroups.allCases)
  func aProjectionEndsOnTheSphereAndStaysThere(ball: NormBall, groups: WeightGroups) throws {
    let matrix = try random(30, 50, 8)
    let radius = 0.3 * norm(ball, matrix)
    // Sums of 1,500 doubles; in Float32 half a last place, by which each weight is rounded.
    for (dtype, rounding) in [(DType.float64, 1e-13), (.float32, 0x1p-24)] {
      let once = try projected(ball, matrix, radius, groups, dtype)
      #expect(abs(norm(ball, once) - radius) <= rounding * radius)
      // The norm may be above the radius by a rounding, no more: a weight moves by so much of the largest, and is rounded again.
      let twice = try projected(ball, once, radius, groups, dtype)
      let largestWeight = once.joined().map(abs).max() ?? 0
      #expect(largest(twice, once) <= 2 * rounding * largestWeight)
      #expect(zip(twice.joined(), once.joined()).allSatisfy { $1 != 0 || $0 == 0 })
    }
  }

  /// `⟨v − w, u − w⟩ ≤ 0` for all `u` in a convex set is what makes `w` its nearest point to `v`.
  @Test(arguments: [NormBall.l1, .l12, .l21])
  func noPointOfTheBallIsNearer(ball: NormBall) throws {
    let matrix = try random(6, 12, 9)
    let radius = 0.4 * norm(ball, matrix)
    let nearest = try projected(ball, matrix, radius)
    for seed in 20..<60 {
      var other = try random(6, 12, UInt64(seed), spread: false)
      // Points near the projection, and corners: few weights.
      if seed % 2 == 0 { other = zip(nearest, other).map { zip($0, $1).map { $0 + 0.01 * $1 } } }
      if seed % 6 == 3 { other = other.map { group in group.map { abs($0) > 1.5 ? $0 : 0 } } }
      let scale = radius / norm(ball, other)
      let product = zip(zip(matrix, nearest).flatMap { zip($0, $1) }, zip(nearest, other).flatMap { zip($0, $1) })
        .reduce(0) { $0 + ($1.0.0 - $1.0.1) * (scale * $1.1.1 - $1.1.0) }
      #expect(product < 1e-10)
    }
  }

  /// Stationarity of `½‖w − v‖² + λ/2 (‖w‖² − radius²)` in the l1,2 norm: `v − w = λ ‖w_g‖₁ ∂|w|`, one λ for all groups.
  @Test func theProjectionOntoTheL12BallHasOneMultiplier() throws {
    let matrix = try random(8, 20, 10)
    let result = try projected(.l12, matrix, 0.35 * norm(.l12, matrix))
    var multipliers: [Double] = []
    for (before, after) in zip(matrix, result) {
      for (v, w) in zip(before, after) where w != 0 {
        #expect(v * w > 0)
        multipliers.append(abs(v - w) / size(after))
      }
    }
    let multiplier = try #require(multipliers.first)
    #expect(multiplier > 0 && multipliers.allSatisfy { abs($0 - multiplier) < 1e-12 * multiplier })
    for (before, after) in zip(matrix, result) {
      #expect(after.contains { $0 != 0 } && after.contains(0))
      for (v, w) in zip(before, after) where w == 0 { #expect(abs(v) <= multiplier * size(after) * (1 + 1e-12)) }
    }
  }

  @Test func algorithm1ZeroesGroupsAndIsNotTheNearestPoint() throws {
    let matrix = try random(20, 30, 11)
    let radius = 0.2 * norm(.l1, matrix)
    func distance(_ other: Matrix) -> Double { length(zip(matrix, other).flatMap { zip($0, $1).map { $0 - $1 } }) }
    func vanished(_ other: Matrix) -> Int { other.count { group in group.allSatisfy { $0 == 0 } } }
    let (structured, nearest) = (try projected(.l11, matrix, radius), try projected(.l1, matrix, radius))
    #expect(distance(nearest) < 0.995 * distance(structured))
    #expect(vanished(structured) > 0 && vanished(structured) > vanished(nearest))
  }

  @Test func l21ZeroesWholeGroupsOnly() throws {
    let result = try projected(.l21, random(20, 30, 12), 20)
    #expect(result.contains { $0.allSatisfy { $0 == 0 } } && result.contains { $0.allSatisfy { $0 != 0 } })
    #expect(result.allSatisfy { group in group.allSatisfy { $0 == 0 } || group.allSatisfy { $0 != 0 } })
  }

  @Test func aColumnOfAConvolutionIsAllThatReadsAChannel() throws {
    var generator = try Generator(seed: 13)
    // [outputs, inputs, height, width], channels last in memory.
    let weights = try generator.normal([6, 5, 3, 3], dtype: .float64)
    let values = try weights.doubles()
    let channels = (0..<5).map { channel in
      (0..<6).flatMap { output in (0..<9).map { values[(output * 5 + channel) * 9 + $0] } }
    }
    let radius = 0.3 * norm(.l11, channels)
    let expected = reference(.l11, channels, radius)
    for layout in [weights, try weights.channelsLast()] {
      let copy = try layout.clone()
      try constraint(.l11, radius, .columns).project(copy)
      let result = try copy.doubles()
      for channel in 0..<5 {
        for output in 0..<6 {
          for place in 0..<9 {
            let found = result[(output * 5 + channel) * 9 + place]
            #expect(abs(found - expected[channel][output * 9 + place]) < 1e-12)
          }
        }
      }
    }
  }

  @Test(arguments: NormBall.allCases)
  func weightsThatAreNotFiniteAreRefusedAndStay(ball: NormBall) throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      for dtype in [DType.float32, .float64] {
        let weights = try Tensor([1, 2, bad, 4, 5, 6], shape: [2, 3]).to(dtype)
        let before = try weights.bytes()
        #expect { try constraint(ball, 1).project(weights) } throws: { "\($0)".contains("not finite") }
        #expect(try weights.bytes() == before)
      }
    }
  }

  @Test(arguments: NormBall.allCases)
  func aRadiusThatNoBallHasIsRefused(ball: NormBall) throws {
    for radius in [-1, Double.nan, .infinity] {
      #expect { try constraint(ball, radius) } throws: {
        "\($0)".contains("radius is \(radius), expected a finite number, 0 or more")
      }
    }
  }

  @Test func aRadiusOutOfItsRangeIsRefusedWithIt() throws {
    for make in [
      { try L1Ball.Config(["radius": $0], at: "with").radius },
      { try GroupedBallConfig(["radius": $0], at: "with").radius },
    ] as [(Value) throws -> Double] {
      #expect(throws: ConfigError(path: "with.radius", "found -1, expected 0 to 1e30")) { try make(-1) }
      #expect(try make(0) == 0)
    }
  }

  @Test(arguments: NormBall.allCases)
  func radiiFarBelowTheWeightsLeaveNothingOrNextToIt(ball: NormBall) throws {
    let tied = Array(repeating: Array(repeating: 1.0, count: 10), count: 10)
    for matrix in [tied, try random(10, 10, 14)] {
      for radius in [1e-300, 1e-30] {
        let result = try projected(ball, matrix, radius)
        #expect(result.joined().allSatisfy { abs($0) < 1e-15 })
      }
    }
  }
}
