import LatentKit

/// The parts of our paper.
public enum RingPlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "Latents on a Ring", authors: "Doe", year: 2026,
    summary: "Latents are pulled to a sphere around the origin.")

  public static let contributions: [Contribution] = [
    .loss("ring", RingLoss.self, "squared distance of latents from a sphere around the origin")
  ]
}

/// `(‖z‖ − r)²` for each example, with the radius `r`.
///
/// - Shapes: latents `[batch, latent]`; the term is `[batch]`.
public struct RingLoss: Loss, Component {
  /// The settings: `--set losses.ring.radius=2`.
  public struct Config: ComponentConfig {
    @Setting("Radius of the sphere.", .above(0)) public var radius = 1.0
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    // The root has no gradient at the origin.
    let norms = try (forward.latents.square().sum(axis: 1) + 1e-12).sqrt()
    return [.perExample("ring", try (norms - config.radius).square())]
  }
}
