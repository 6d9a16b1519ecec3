import LatentKit

extension SettingRange {
  fileprivate static let learningRate = SettingRange.above(0, upTo: 1e6)
  fileprivate static let weightDecay = SettingRange.within(0...1000)
  fileprivate static let warmUp = SettingRange.within(0...1_000_000)
}

/// Stochastic gradient descent with momentum: `g ← g + weightDecay·w`, `v ← momentum·v + g`, `w ← w − learningRate·v`.
///
/// - Throws: `RecipeError` for `nesterov` without momentum.
public struct SGDRule: OptimizerRule, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Learning rate.", .learningRate) public var learningRate = 0.1
    @Setting("Share of the last step that goes on.", .within(0..<1)) public var momentum = 0.9
    @Setting("L2 penalty added to the gradient: weightDecay times weight.", .weightDecay) public var weightDecay = 0.0
    @Setting("Nesterov's variant of momentum.") public var nesterov = false
    public init() {}
  }

  public var learningRate: Double { config.learningRate }
  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    if config.nesterov && config.momentum == 0 {
      throw RecipeError("\(context.title): nesterov needs a momentum above 0")
    }
    self.config = config
  }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try SGD(parameters, momentum: config.momentum, weightDecay: config.weightDecay, nesterov: config.nesterov)
  }
}

/// The settings that Adam and AdamW share.
public struct AdamConfig: ComponentConfig {
  @Setting("Learning rate.", .learningRate) public var learningRate = 0.001
  @Setting("Memory of the mean of gradients.", .within(0..<1)) public var beta1 = 0.9
  @Setting("Memory of the mean of their squares.", .within(0..<1)) public var beta2 = 0.999
  @Setting("Added to the root of the latter.", .above(0, upTo: 1)) public var epsilon = 1e-8
  @Setting("Weight decay.", .weightDecay) public var weightDecay = 0.0
  public init() {}

  func optimizer(for parameters: [Parameter], decoupled: Bool) throws -> any Optimizer {
    try Adam(parameters, betas: (beta1, beta2), epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled)
  }
}

/// Adam (Kingma & Ba 2015); weight decay is added to the gradient.
public struct AdamRule: OptimizerRule, Component {
  public var learningRate: Double { config.learningRate }
  private let config: AdamConfig

  public init(_ config: AdamConfig, in context: BuildContext) { self.config = config }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try config.optimizer(for: parameters, decoupled: false)
  }
}

/// Adam whose weight decay shrinks the weights directly (Loshchilov & Hutter 2019).
public struct AdamWRule: OptimizerRule, Component {
  public var learningRate: Double { config.learningRate }
  private let config: AdamConfig

  public init(_ config: AdamConfig, in context: BuildContext) { self.config = config }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try config.optimizer(for: parameters, decoupled: true)
  }
}

private let warmUpHelp = "Epochs over which the learning rate rises to its full value."

/// The full learning rate throughout, once it has risen to it.
public struct ConstantSchedule: LearningRateSchedule, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(warmUpHelp, .warmUp) public var warmUp = 0.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.constant.factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}

/// The learning rate times a factor after every few epochs.
public struct StepSchedule: LearningRateSchedule, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Epochs between changes.", .within(1...1_000_000)) public var epochs = 30
    @Setting("What the learning rate is multiplied by.", .above(0, upTo: 10)) public var factor = 0.1
    @Setting(warmUpHelp, .warmUp) public var warmUp = 0.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.step(epochs: config.epochs, factor: config.factor)
      .factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}

/// Half a cosine from the full learning rate to a share of it (Loshchilov & Hutter 2017, without restarts).
public struct CosineSchedule: LearningRateSchedule, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Share of the learning rate that is left at the end.", .within(0...1)) public var floor = 0.0
    @Setting(warmUpHelp, .warmUp) public var warmUp = 0.0
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.cosine(floor: config.floor)
      .factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}
