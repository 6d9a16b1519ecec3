import LatentKit

/// The latent loss (Zemouri 2020, eq. 11): `E ‖C(z) − C(z*)‖²` of the classifier's softmax outputs, for the code of the
/// input and for the code of its reconstruction.
///
/// - Shapes: scores `[batch, classes]`; the term is `[batch]`.
/// - Throws: `RecipeError` without a classifier.
public struct LatentClassLoss: Loss, Component {
  /// What `z*` is.
  public enum Latent: String, Choice { case drawn, mean }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("z* in training: drawn from the code of the reconstruction, as Algorithm 2 has it, or its mean.")
    public var latent = Latent.drawn
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let given = try forward.scores.softmax(axis: 1)
    guard let classifier = forward.model.classifier else {
      throw RecipeError.missing("a classifier", for: "loss 'latent-class'", fix: "add 'classifier: two-step'")
    }
    let code = try forward.reconstructionCode
    let isDrawn = forward.isTraining && config.latent == .drawn
    let latents = isDrawn ? try code.sample(using: &forward.random.generator) : code.mean
    let made = try forward.computing { try classifier.scores(LatentBatch(latents)) }.softmax(axis: 1)
    return [.perExample("latent-class", try (given - made).square().sum(axis: 1), over: .all)]
  }
}
