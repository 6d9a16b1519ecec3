import Foundation
import LatentKit

enum ConstraintChecks {
  static let all = [inside, nearest, settings]

  /// Shapes of weights that a constraint takes: some have groups, which a vector has not.
  private static func shapes(for constraint: any Constraint, _ device: Device) throws -> [[Int]] {
    try [[4, 3], [2, 3, 3, 3], [5]].filter { shape in
      do { _ = try projected(constraint, weights(shape, seed: 0, scale: 1, device)) } catch is TensorError
        where shape.count == 1
      {
        return false
      }
      return true
    }
  }

  private static func weights(_ shape: [Int], seed: UInt64, scale: Double, _ device: Device) throws -> Tensor {
    var generator = try Generator(seed: seed, for: "weights of checks")
    return try generator.normal(shape).to(device) * scale
  }

  private static func projected(_ constraint: any Constraint, _ weights: Tensor) throws -> Tensor {
    let copy = try weights.clone()
    try withoutGradients { try constraint.project(copy) }
    return copy
  }

  /// A constraint whose set is small, where a setting says how large it is, so that weights of a check lie outside.
  private static func made(_ part: PartUnderTest) throws -> [any Constraint] {
    let subject = try Subject(SlotKey.constraint, part)
    let sizes = subject.entry.settings.filter { setting in
      if case .double = setting.fallback { setting.range?.admits(.double(0.7)) ?? true } else { false }
    }
    return try [subject.make(in: .rows).part]
      + sizes.compactMap { try? subject.make(in: .rows, [$0.name: .double(0.7)]).part }
  }

  private static var inside: Check {
    Check(
      .constraint, "inside",
      "Projected weights keep shape and type, are finite, the same each time and in any layout, and stay when projected again."
    ) { part in
      var moved = false
      for constraint in try made(part) {
        for shape in try shapes(for: constraint, part.device) {
          for scale in [1e-3, 1, 100] {
            let weights = try weights(shape, seed: part.seed, scale: scale, part.device)
            let once = try projected(constraint, weights)
            moved = try moved || !sameBits([once], [weights])
            try require(
              once.shape == shape && once.dtype == .float32, "weights \(shape) become \(once.shape) of \(once.dtype)")
            try require(try areFinite([once]), "projected weights of size \(scale) are not finite")
            try require(
              try sameBits([once], [projected(constraint, weights)]),
              "the same weights are projected otherwise each time")
            if shape.count == 4 {
              try require(
                try agree(once, projected(constraint, weights.channelsLast()), within: 1e-5),
                "weights of shape \(shape) with their channels last in memory are projected otherwise")
            }
            let twice = try projected(constraint, once)
            try require(
              try agree(once, twice, within: 1e-5),
              "weights of shape \(shape) and size \(scale) move when they are projected again")
          }
          let zeros = try Tensor.zeros(shape, device: part.device)
          try require(try areFinite([projected(constraint, zeros)]), "projected zeros are not finite")
        }
      }
      return moved ? .passed : .warning("no weights of the check are outside the set")
    }
  }

  private static var nearest: Check {
    Check(
      .constraint, "nearest",
      "Where it is a NearestPointConstraint, no other point of the set is nearer, in any direction and beside the projection."
    ) { part in
      for constraint in try made(part) {
        guard constraint is any NearestPointConstraint else { return .skipped("it is no NearestPointConstraint") }
        for shape in try shapes(for: constraint, part.device) {
          let weights = try weights(shape, seed: part.seed, scale: 2, part.device).to(.float32)
          let point = try projected(constraint, weights)
          func distance(_ other: Tensor) throws -> Double { try (weights - other).to(.float64).square().sum().item() }
          let own = try distance(point)
          for (index, size) in [0.01, 0.05, 0.2, 1, 3].enumerated() {
            for trial in 0..<20 {
              let noise = try ConstraintChecks.weights(
                shape, seed: part.seed + UInt64(100 * index + trial), scale: size, part.device)
              // Around the projection, and on the way back to the weights.
              for start in [point, try point + (weights - point) * 0.1] {
                let other = try projected(constraint, start + noise)
                try require(
                  try distance(other) >= own * (1 - 1e-4) - 1e-9,
                  "a point of the set lies at the squared distance \(short(try distance(other))), and the projection of weights \(shape) at \(short(own))"
                )
              }
            }
          }
        }
      }
      return .passed
    }
  }

  private static var settings: Check {
    Check(
      .constraint, "settings",
      "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let subject = try Subject(SlotKey.constraint, part)
      var count = 0
      for (setting, value) in subject.trials {
        try subject.trying(setting, value) {
          let constraint = try subject.make(in: .rows, [setting: value]).part
          for shape in try shapes(for: constraint, part.device) {
            let once = try projected(constraint, weights(shape, seed: 1, scale: 1, part.device))
            try require(try areFinite([once]), "projected weights are not finite")
          }
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}
