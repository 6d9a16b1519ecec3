import LatentKit

/// The decoder's loss against a discriminator `D`, in the form that belongs to the discriminator's criterion:
///
/// - `paired`, `E (D(x) − D(x*))²` (Zemouri 2020, eq. 10): for `least-squares-critic`, as the paper has it;
/// - `least-squares`, `E (D(x*) − t)²` (Mao et al. 2016): for `least-squares-critic`;
/// - `wasserstein`, `−E D(x*)` (Arjovsky, Chintala & Bottou 2017): for `wasserstein-critic` and `wasserstein-gp-critic`.
///
/// - Shapes: scores `[batch, 1]`; the term is `[batch]`.
/// - Throws: `RecipeError` without a discriminator.
public struct AdversarialLoss: Loss, Component {
  /// The forms.
  public enum Form: String, Choice {
    case paired
    case leastSquares = "least-squares"
    case wasserstein
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("paired (eq. 10), least-squares, or wasserstein: the one that belongs to the critic's loss.")
    public var form = Form.paired
    @Setting("least-squares: the score of real inputs, as the critic's target.", .above(0, upTo: 1e6)) public
      var target = 1.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try forward.scores(of: forward.reconstruction)
    let values =
      switch config.form {
      case .paired: try (forward.scores(of: forward.inputs) - made).square()
      case .leastSquares: try (made - config.target).square()
      case .wasserstein: try -made
      }
    return [.perExample("adversarial", values, over: .all)]
  }
}
