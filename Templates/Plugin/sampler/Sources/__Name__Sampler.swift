import LatentKit
import Statistics

/// Training latents of the class, drawn with replacement and moved a little: the smoothed bootstrap.
///
/// `m + (z + h σ ε − m) / √(1 + h²)`, with the mean `m` and the standard deviations `σ` of the class's latents, and standard normal
/// `ε`. The division keeps the variances (Silverman 1986, section 6.4).
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents.
public struct __Name__Sampler: EstimatingSampler, Component {
  /// The settings: `--set sampler.bandwidth=0.5`.
  public struct Config: ComponentConfig {
    @Setting("The bandwidth h, in standard deviations of the class.", .within(0...10)) public var bandwidth = 0.2
    public init() {}
  }

  private let bandwidth: Double

  public init(_ config: Config, in context: BuildContext) throws { bandwidth = config.bandwidth }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let requests = try request.byClass(for: "__name__", using: &generator)
    let draws = try requests.map { try draw($0, using: &generator) }
    let points = try requests.filter { try $0.training.size(0) == 1 }
    return Draw(
      latents: try ClassRequest.merge(draws, of: requests), followsLabels: request.labels != nil,
      warnings: points.map { "\($0.name) has one training latent, which all draws repeat; give more examples" })
  }

  private func draw(_ request: ClassRequest, using generator: inout Generator) throws -> Tensor {
    let latents = request.training
    let mean = try latents.mean(axis: 0)
    let deviations = try latents.variance(axes: [0], unbiased: false).sqrt()
    let chosen = try latents.rows(generator.integers(0..<latents.size(0), [request.count]))
    let noise = try generator.normal(chosen.shape, dtype: latents.dtype)
    let shrinkage = 1 / (1 + bandwidth * bandwidth).squareRoot()
    return try mean + (chosen + noise * deviations * bandwidth - mean) * shrinkage
  }
}
