import LatentKit
import SparseSAENative

/// A ball `‖W‖ ≤ radius` that weights can be projected onto. `w_g` are the groups of a weight, its rows or columns.
public enum NormBall: String, Sendable, CaseIterable {
  /// `‖W‖ = Σ |w|`, whatever the groups.
  case l1
  /// `‖W‖ = Σ |w|` again, but by Algorithm 1 of Barlaud & Guyard 2021: first the norms of the groups are projected onto
  /// the l1 ball, then each group onto the l1 ball of its own radius. The result is in the ball; it is not its nearest
  /// point, which is that of `l1`.
  case l11
  /// `‖W‖ = √(Σ_g (Σ_i |w_gi|)²)`: zeros inside of groups.
  case l12
  /// `‖W‖ = Σ_g √(Σ_i w_gi²)`: whole groups become zero.
  case l21

  fileprivate var c: sparse_sae_ball {
    switch self {
    case .l1: SPARSE_SAE_L1
    case .l11: SPARSE_SAE_L11
    case .l12: SPARSE_SAE_L12
    case .l21: SPARSE_SAE_L21
    }
  }
}

/// The groups of a weight. Linear weights are `[outputs, inputs]`, convolutions `[outputs, inputs, height, width]`.
public enum WeightGroups: String, Sendable, CaseIterable {
  /// All weights of one place on the first axis: of one output.
  case rows
  /// All weights of one place on the second axis: of one input.
  case columns
}

extension Tensor {
  /// Projects this tensor onto a ball, in place; inside the ball no bit changes.
  ///
  /// Exact, in doubles, in time that is linear in the number of weights but for made-up input. Weights on other devices are
  /// projected on the CPU.
  ///
  /// - Parameter groups: For all balls but `l1`, which has none.
  /// - Throws: `TensorError` where the radius is negative or not finite, where a weight is not finite (then none has
  ///   changed), where the tensor has no second axis to group by, or other numbers than Float32 and Float64.
  public func projectInPlace(onto ball: NormBall, radius: Double, groups: WeightGroups = .columns) throws {
    try withoutGradients {
      try Tensor.check("projection onto the \(ball.rawValue) ball", [self]) {
        sparse_sae_project(handle, ball.c, radius, groups == .columns)
      }
    }
  }
}
