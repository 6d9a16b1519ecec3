import LatentKit

/// The standard normal density `N(0, I)`.
public struct StandardNormal: FactorizedPrior, DirectPrior, Component {
  public typealias Config = NoConfig
  private let latentSize: Int

  public init(_ config: Config, in context: BuildContext) { latentSize = context.latentSize }

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents.square() + log2π).sum(axis: 1) * -0.5
  }

  public func divergences(mean: Tensor, logVariance: Tensor) throws -> Tensor {
    try standardNormalDivergences(mean: mean, logVariance: logVariance)
  }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    Draw(latents: try generator.normal([request.count, latentSize]), followsLabels: false)
  }
}

/// Independent draws from the prior, of the requested classes where it knows classes.
public struct PriorSampler: SelectiveSampler, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func check(_ prior: any Prior) throws { _ = try direct(prior) }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try direct(request.prior).draw(request, using: &generator)
  }

  private func direct(_ prior: any Prior) throws -> any DirectPrior {
    guard let prior = prior as? any DirectPrior else {
      throw RecipeError(
        "sampler 'prior' needs a prior that can be drawn from, and this one cannot; choose another sampler, mh say")
    }
    return prior
  }
}
