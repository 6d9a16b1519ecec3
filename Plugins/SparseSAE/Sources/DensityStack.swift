import LatentKit

/// The kernel densities of several classes, evaluated in one product of matrices. Places are in each class's own whitened
/// coordinates.
struct DensityStack {
  /// `[classes, latent + 1, points]`: the points of each class, below them `−‖p‖²/2`. Shorter classes are filled up with
  /// points that weigh nothing.
  private let points: Tensor
  /// How many points each class has, `[classes, 1]`.
  private let counts: Tensor

  init(_ densities: [KernelDensity], like latents: Tensor) throws {
    counts = try Tensor(densities.map { Double($0.whitened.size(0)) }, shape: [densities.count, 1])
    let most = densities.map { $0.whitened.size(0) }.max() ?? 0
    let nothing = -1e30
    points = try Tensor.stack(
      densities.map { density in
        let points = density.whitened
        let rows = try Tensor.concatenate([points, points.square().sum(axis: 1, keep: true) * -0.5], axis: 1)
        let missing = most - points.size(0)
        let filling = try Tensor.concatenate(
          [
            .zeros([missing, points.size(1)], dtype: .float64), .full([missing, 1], nothing, dtype: .float64),
          ], axis: 1)
        return try Tensor.concatenate([rows, filling]).transposed().to(latents.dtype, latents.device).contiguous()
      })
  }

  /// `log p`, up to a constant of each class: `[classes, chains, latent]` to `[classes, chains]`.
  func logDensity(_ places: Tensor) throws -> Tensor {
    try exponents(places).logSumExp(axis: 2) - places.square().sum(axis: 2) * 0.5
  }

  /// Moves each place from one kernel to another, by the vector between their points: `x + p_j − p_i`, with `i` drawn by
  /// how much of the density at `x` is kernel `i`'s, and `j` drawn evenly.
  ///
  /// It leaves the density as it is. On pairs of a place and a kernel, with the density `N(x; p_i, 1) / n`, the draw of `i`
  /// is Gibbs' step, and the move is symmetric and between pairs of equal density, so that Metropolis' rule always takes it.
  func jump(_ places: Tensor, using generator: inout Generator) throws -> Tensor {
    let (classes, chains) = (places.size(0), places.size(1))
    let shares = try exponents(places).softmax(axis: 2).reshaped([classes * chains, points.size(2)])
    let from = try generator.choices(shares.to(generator.device), count: 1).reshaped([classes, chains])
    let to = try (generator.uniform([classes, chains]).to(.float64, .cpu) * counts).floor().to(.int64)
    return try places + kernels(to) - kernels(from)
  }

  /// The points of some kernels: `[classes, chains]` numbers to `[classes, chains, latent]`.
  private func kernels(_ numbers: Tensor) throws -> Tensor {
    let latent = points.size(1) - 1
    let numbers = try numbers.to(points.device).unsqueezed(1).expanded([points.size(0), latent, numbers.size(1)])
    return try points.slice(0..<latent, axis: 1).gathered(numbers, axis: 2).transposed()
  }

  /// `−‖x − p‖²/2` for each point, without the part that is the same for all: `[classes, chains, points]`.
  private func exponents(_ places: Tensor) throws -> Tensor {
    // [x, 1] · [p, −‖p‖²/2] = x·p − ‖p‖²/2
    let one = try Tensor.ones([places.size(0), places.size(1), 1], dtype: places.dtype, device: places.device)
    return try Tensor.concatenate([places, one], axis: 2).matmul(points)
  }
}
