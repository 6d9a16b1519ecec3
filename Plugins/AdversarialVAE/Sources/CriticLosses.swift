import LatentKit

/// The inputs that a critic learns from in one step.
public enum CriticInputs: String, Choice {
  /// Real and decoded ones together.
  case both
  /// Those of the data.
  case real
  /// Those that the decoder makes.
  case generated
}

extension Forward {
  /// The decoded inputs as a critic is trained on them: without gradients to decoder and encoder.
  fileprivate var generated: Tensor { get throws { try reconstruction.detached() } }

  /// The discriminator's score of some inputs, `[batch]`.
  func scores(of inputs: Tensor) throws -> Tensor { try score(inputs).squeezed(1) }
}

/// The criterion of Algorithm 2 (Zemouri 2020; Mao et al. 2016): real inputs score `t`, decoded ones `−t`, on a linear output:
/// `E (D(x) − t)²` and `E (D(x*) + t)²`.
///
/// The algorithm makes two updates a cycle, on different batches: two steps, one with `on: real`, one with `on: generated`.
///
/// - Shapes: scores `[batch, 1]`; the terms are `[batch]`.
public struct LeastSquaresCritic: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The inputs of this step: both kinds, real ones, or generated ones.") public var on = CriticInputs.both
    @Setting("The score of real inputs; that of decoded ones is its negative.", .above(0, upTo: 1e6)) public
      var target = 1.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    var terms: [Term] = []
    if config.on != .generated {
      let errors = try (forward.scores(of: forward.inputs) - config.target).square()
      terms.append(.perExample("critic real", errors, over: .all))
    }
    if config.on != .real {
      let errors = try (forward.scores(of: forward.generated) + config.target).square()
      terms.append(.perExample("critic generated", errors, over: .all))
    }
    return terms
  }
}

/// The critic's side of the Wasserstein distance (Arjovsky, Chintala & Bottou 2017): `E D(x*) − E D(x)`.
///
/// It bounds the distance only while the critic is Lipschitz: the loss brings `weight-clip` after each step that trains the
/// discriminator.
///
/// - Shapes: scores `[batch, 1]`; the term is `[batch]`.
public struct WassersteinCritic: Loss, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (real, made) = (try forward.scores(of: forward.inputs), try forward.scores(of: forward.generated))
    return [.perExample("critic", try made - real, over: .all)]
  }
}

/// The critic's side of the Wasserstein distance with a gradient penalty (Gulrajani et al. 2017):
/// `E D(x*) − E D(x) + λ E (‖∇D(x̃)‖ − 1)²`, where `x̃ = u x + (1 − u) x*` with `u` uniform for each example, and `x*` the
/// reconstruction of another example, the next one of the batch: batches are shuffled, so that the two are independent.
///
/// - Shapes: scores `[batch, 1]`; the terms are `[batch]`.
public struct WassersteinPenaltyCritic: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Weight of the penalty, lambda.", .within(0...1e6)) public var penalty = 10.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (inputs, generated) = (forward.inputs, try forward.generated)
    let scores = try forward.scores(of: generated) - forward.scores(of: inputs)
    let penalties = try withGradients {
      let ones = Array(repeating: 1, count: inputs.rank - 1)
      let share = try forward.random.uniform([inputs.size(0)] + ones, dtype: inputs.dtype).to(inputs.device)
      let count = try inputs.size(0)
      let others = try Tensor.concatenate([generated.slice(1..<count), generated.slice(0..<1)])
      let between = try (share * inputs + (1 - share) * others).detached().requiringGradient()
      let slopes = try forward.score(between).sum().gradients(by: [between], createGraph: true)[0]
      guard let slopes else {
        throw RecipeError("loss 'wasserstein-gp-critic' found a discriminator whose score does not depend on its input")
      }
      // The root has no slope at 0, where a critic is flat.
      let norms = try (slopes.flattened().square().sum(axis: 1) + 1e-12).sqrt()
      return try (norms - 1).square() * config.penalty
    }
    return [.perExample("critic", scores, over: .all), .perExample("gradient penalty", penalties, over: .all)]
  }
}

/// The box `−limit ≤ w ≤ limit`, to which the weights of a Wasserstein critic are clipped after each step (Arjovsky, Chintala
/// & Bottou 2017, Algorithm 1).
public struct WeightClip: NearestPointConstraint, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The largest magnitude of a weight.", .above(0, upTo: 1e6)) public var limit = 0.01
    public init() {}
  }

  private let limit: Double
  public init(_ config: Config, in context: BuildContext) { limit = config.limit }

  public func project(_ weights: Tensor) throws { try weights.copyInPlace(weights.clamped(-limit, limit)) }
}
