import LatentKit

/// `Σ_i |z_i|^p` for each example.
///
/// - Shapes: latents `[batch, latent]`; the term is `[batch]`.
public struct __Name__Loss: Loss, Component {
  /// The settings: `--set losses.__name__.power=2`.
  public struct Config: ComponentConfig {
    @Setting("The exponent p.", .atLeast(1)) public var power = 1.0
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.perExample("__name__", try forward.latents.abs().pow(config.power).sum(axis: 1))]
  }
}
