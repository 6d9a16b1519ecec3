import LatentKit

/// Walks over the kernel densities of some classes, all classes and chains in one batch.
struct ClassWalks {
  let densities: [KernelDensity]
  /// Where chains start, in each class's whitened coordinates, `[classes, chains, latent]`.
  let starts: Tensor
  let proposal: Proposal
  /// What tuning aims at.
  let acceptance: Double
  /// Every so many steps a chain jumps to another kernel first; 0 for never.
  let jumpEvery: Int

  struct Record {
    /// Every step after the warm-up, in whitened coordinates, `[classes, chains, steps, latent]`.
    let positions: Tensor
    /// Accepted moves of each class after the warm-up, over all moves.
    let acceptance: [Double]
  }

  func run(warmUp: Int, steps: Int, using generator: inout Generator) throws -> Record {
    let stack = try DensityStack(densities, like: starts)
    let algorithm = MetropolisHastings { try stack.logDensity($0) }
    var moves = try Moves(proposal, densities, like: starts)
    var state = try algorithm.start(at: starts)

    func walk(_ step: Int) throws -> Tensor {
      if jumpEvery > 0, step % jumpEvery == jumpEvery - 1 {
        state = try algorithm.start(at: stack.jump(state.positions, using: &generator))
      }
      let (next, info) = try algorithm.step(state, by: moves.draw(using: &generator), using: &generator)
      state = next
      return info.accepted
    }
    for step in 0..<warmUp { try moves.tune(walk(step), to: acceptance, after: step) }

    var positions: [Tensor] = []
    var accepted = try Tensor.zeros([densities.count])
    for step in 0..<steps {
      accepted = try accepted + walk(step).to(.float32, .cpu).mean(axis: 1)
      positions.append(state.positions)
    }
    return Record(
      positions: try .stack(positions, axis: 2), acceptance: try (accepted / Double(max(steps, 1))).doubles())
  }
}

/// What chains propose, in whitened coordinates.
private struct Moves {
  private let shape: [Int]
  private let like: Tensor
  /// `[classes, 1, 1]`: the deviation of each class's moves, in deviations of its kernels.
  private var scale: Tensor
  /// `[classes, latent, latent]`: takes moves of latents to whitened coordinates; nil where they are drawn there.
  private let whitening: Tensor?

  init(_ proposal: Proposal, _ densities: [KernelDensity], like starts: Tensor) throws {
    shape = starts.shape
    like = starts
    let scales: [Double]
    switch proposal {
    case .tuned:
      whitening = nil
      // 2.38 over sqrt(d) deviations, the best for a Gaussian (Gelman, Roberts & Gilks 1996): here, for one kernel.
      scales = densities.map { _ in 2.38 / Double(starts.size(2)).squareRoot() }
    case .variance(let variance):
      whitening = try .stack(densities.map { try $0.whiteningOfMoves() }).to(starts.dtype, starts.device)
      scales = densities.map { _ in variance.squareRoot() }
    }
    scale = try Tensor(scales, shape: [densities.count, 1, 1]).to(starts.dtype, starts.device)
  }

  func draw(using generator: inout Generator) throws -> Tensor {
    let noise = try generator.normal(shape, dtype: like.dtype).to(like.device)
    return try (whitening.map { try noise.matmul($0) } ?? noise) * scale
  }

  /// Robbins & Monro: the logarithm of the scale follows the acceptance rate in steps that get smaller.
  mutating func tune(_ accepted: Tensor, to target: Double, after step: Int) throws {
    guard whitening == nil else { return }
    let rate = 1 / Double(step + 1).squareRoot()
    let error = try accepted.to(scale.dtype).mean(axis: 1).reshaped(scale.shape) - target
    scale = try scale * (error * rate).exp()
  }
}
