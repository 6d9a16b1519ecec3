import LatentKit

/// Metropolis walks over the densities of some classes, all classes and chains in one batch.
struct ClassWalks {
  let density: any WalkDensity
  /// Where chains start, in each class's coordinates, `[classes, chains, latent]`.
  var starts: Tensor
  let proposal: Proposal
  /// What tuning aims at.
  let acceptance: Double
  /// Every so many steps a chain jumps to another kernel first; 0 for never.
  var jumpEvery = 0
  /// Take every proposal whose log density is not under this, `[classes, 1]`; nil for Metropolis' rule.
  var lowest: Tensor?

  func run(warmUp: Int, steps: Int, using generator: inout Generator) throws -> WalkRecord {
    let algorithm = MetropolisHastings(lowest: lowest) { try density.logDensity($0) }
    var moves = try Moves(proposal, density, like: starts)
    var state = try algorithm.start(at: starts)

    func walk(_ step: Int) throws -> Tensor {
      if jumpEvery > 0, step % jumpEvery == jumpEvery - 1 {
        state = try algorithm.start(at: density.jump(state.positions, using: &generator))
      }
      let (next, info) = try algorithm.step(state, by: moves.draw(using: &generator), using: &generator)
      state = next
      return info.accepted
    }
    for step in 0..<warmUp { try moves.tune(walk(step), to: acceptance, after: step) }

    var positions: [Tensor] = []
    var accepted = try Tensor.zeros([starts.size(0)])
    for step in 0..<steps {
      accepted = try accepted + walk(step).to(.float32, .cpu).mean(axis: 1)
      positions.append(state.positions)
    }
    return WalkRecord(
      positions: try .stack(positions, axis: 2), acceptance: try (accepted / Double(max(steps, 1))).doubles())
  }
}

/// Where walks have been.
struct WalkRecord {
  /// Every step after the warm-up, in each class's coordinates, `[classes, chains, steps, latent]`.
  let positions: Tensor
  /// Accepted moves of each class after the warm-up, over all moves; nil where every move is accepted.
  let acceptance: [Double]?
}

/// What chains propose, in each class's coordinates.
private struct Moves {
  private let shape: [Int]
  private let like: Tensor
  /// `[classes, 1, 1]`: the deviation of each class's moves.
  private var scale: Tensor
  private let isTuned: Bool
  /// `[classes, latent, latent]`: takes moves of latents to the coordinates; nil where they are drawn there.
  private let whitening: Tensor?

  init(_ proposal: Proposal, _ density: any WalkDensity, like starts: Tensor) throws {
    shape = starts.shape
    like = starts
    let deviation: Double
    switch proposal {
    case .tuned:
      (isTuned, whitening) = (true, nil)
      // 2.38 over sqrt(d) deviations, the best for a Gaussian (Gelman, Roberts & Gilks 1996): here, for one kernel.
      deviation = try 2.38 / Double(starts.size(2)).squareRoot()
    case .variance(let variance):
      (isTuned, whitening) = (false, density.whiteningOfMoves)
      deviation = variance.squareRoot()
    }
    scale = try .full([starts.size(0), 1, 1], deviation, dtype: starts.dtype, device: starts.device)
  }

  func draw(using generator: inout Generator) throws -> Tensor {
    let noise = try generator.normal(shape, dtype: like.dtype).to(like.device)
    return try (whitening.map { try noise.matmul($0) } ?? noise) * scale
  }

  /// Robbins & Monro: the logarithm of the scale follows the acceptance rate in steps that get smaller.
  mutating func tune(_ accepted: Tensor, to target: Double, after step: Int) throws {
    guard isTuned else { return }
    let rate = 1 / Double(step + 1).squareRoot()
    let error = try accepted.to(scale.dtype).mean(axis: 1).reshaped(scale.shape) - target
    scale = try scale * (error * rate).exp()
  }
}
