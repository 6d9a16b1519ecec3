import LatentKit

/// The kernel densities of several classes, evaluated together. Coordinates of a class are those where its kernels are
/// `N(0, I)`.
public struct KernelDensityStack: ChainDensity {
  public let whiteningOfMoves: Tensor?
  private let densities: [KernelDensity]
  private let kernels: GaussianKernels
  /// Constants that make densities whole, `[classes, 1]`.
  private let logPeaks: Tensor
  /// The number of points of each class, `[classes, 1]`, Float64.
  private let counts: Tensor

  /// - Parameters:
  ///   - densities: At least one, of the same number of dimensions.
  ///   - latents: Gives the type of numbers and the device.
  public init(_ densities: [KernelDensity], like latents: Tensor) throws {
    self.densities = densities
    let (dtype, device) = (latents.dtype, latents.device)
    kernels = try GaussianKernels(densities.map(\.whitened)).to(dtype, device)
    logPeaks = try Tensor(densities.map(\.logPeak), shape: [densities.count, 1]).to(dtype, device)
    counts = try Tensor(densities.map { Double($0.count) }, shape: [densities.count, 1])
    whiteningOfMoves = try .stack(densities.map { try $0.whiteningOfMoves() }).to(dtype, device)
  }

  /// Takes latents `[count, latent]` to the coordinates of the density of that number.
  public func whiten(_ latents: Tensor, of place: Int) throws -> Tensor {
    try densities[place].whiten(latents).to(latents.dtype, latents.device)
  }

  /// Takes places `[…, latent]` back to latents, Float64 on the CPU.
  public func restore(_ places: Tensor, of place: Int) throws -> Tensor { try densities[place].restore(places) }

  /// Returns `log p` in latents: `[classes, places, latent]` to `[classes, places]`.
  public func logDensity(_ places: Tensor) throws -> Tensor { try kernels.logSums(at: places) + logPeaks }

  /// Moves each place from one kernel to another, by the vector between their points: `x + p_j − p_i`, with `i` drawn by
  /// how much of the density at `x` is kernel `i`'s, and `j` drawn evenly.
  ///
  /// It leaves the density as it is. On pairs of a place and a kernel, with the density `N(x; p_i, 1) / n`, the draw of `i`
  /// is Gibbs' step, and the move is symmetric and between pairs of equal density, so that Metropolis' rule always takes it.
  public func jump(_ places: Tensor, using generator: inout Generator) throws -> Tensor {
    let from = try kernels.choices(at: places, using: &generator)
    let uniform = try generator.uniform(from.shape, dtype: .float64).to(.cpu)
    let to = try (uniform * counts).floor().to(.int64)
    return try places + kernels.points(to) - kernels.points(from)
  }

  /// Draws one coordinate of each place from its density given all others: a mixture of `N(p_i, 1)` in which kernel `i`
  /// weighs `exp(−‖x − p_i‖²/2)` over the other coordinates. `[classes, chains, latent]` to `[classes, chains]`.
  public func conditional(_ axis: Int, at places: Tensor, using generator: inout Generator) throws -> Tensor {
    let numbers = try kernels.choices(at: places, ignoring: axis, using: &generator)
    let noise = try generator.normal(numbers.shape, dtype: places.dtype).to(places.device)
    return try kernels.coordinates(axis, of: numbers) + noise
  }
}
