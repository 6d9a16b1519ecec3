import LatentKit

/// - Throws: `RecipeError` unless `value` is a finite number of at least 0 (above 0 where `positive`).
private func requireRate(_ value: Double, _ name: String, positive: Bool = false, of context: BuildContext) throws {
  guard value.isFinite, positive ? value > 0 : value >= 0 else {
    throw RecipeError("\(context.title): \(name) is \(value), expected \(positive ? "above 0" : "0 or more")")
  }
}

public struct SGDRule: OptimizerRule {
  public struct Config: ComponentConfig {
    public var rate = 0.1
    public var momentum = 0.9
    public var decay = 0.0
    public var nesterov = false
    public init() {}
    public static let help: KeyValuePairs = [
      "rate": "Learning rate.", "momentum": "Share of the last step that goes on.",
      "decay": "L2 penalty added to the gradient: decay times weight.", "nesterov": "Nesterov's variant of momentum.",
    ]
  }

  public var rate: Double { config.rate }
  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    try requireRate(config.rate, "rate", positive: true, of: context)
    try requireRate(config.momentum, "momentum", of: context)
    try requireRate(config.decay, "decay", of: context)
    if config.nesterov && config.momentum == 0 {
      throw RecipeError("\(context.title): nesterov needs a momentum above 0")
    }
    self.config = config
  }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try SGD(parameters, momentum: config.momentum, decay: config.decay, nesterov: config.nesterov)
  }
}

/// The settings that Adam and AdamW share.
public struct AdamConfig: ComponentConfig {
  public var rate = 0.001
  public var beta1 = 0.9
  public var beta2 = 0.999
  public var epsilon = 1e-8
  public var decay = 0.0
  public init() {}
  public static let help: KeyValuePairs = [
    "rate": "Learning rate.", "beta1": "Memory of the mean of gradients, 0 up to 1.",
    "beta2": "Memory of the mean of their squares, 0 up to 1.", "epsilon": "Added to the root of the latter.",
    "decay": "Weight decay.",
  ]

  func check(in context: BuildContext) throws {
    try requireRate(rate, "rate", positive: true, of: context)
    try requireRate(decay, "decay", of: context)
    guard 0..<1 ~= beta1, 0..<1 ~= beta2 else {
      throw RecipeError("\(context.title): beta1 and beta2 are \(beta1) and \(beta2), expected 0 up to 1")
    }
  }

  func optimizer(for parameters: [Parameter], decoupledDecay: Bool) throws -> any Optimizer {
    try Adam(parameters, betas: (beta1, beta2), epsilon: epsilon, decay: decay, decoupledDecay: decoupledDecay)
  }
}

/// Adam (Kingma & Ba 2015); decay is added to the gradient.
public struct AdamRule: OptimizerRule {
  public var rate: Double { config.rate }
  private let config: AdamConfig

  public init(_ config: AdamConfig, in context: BuildContext) throws {
    try config.check(in: context)
    self.config = config
  }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try config.optimizer(for: parameters, decoupledDecay: false)
  }
}

/// Adam whose decay shrinks the weights directly (Loshchilov & Hutter 2019).
public struct AdamWRule: OptimizerRule {
  public var rate: Double { config.rate }
  private let config: AdamConfig

  public init(_ config: AdamConfig, in context: BuildContext) throws {
    try config.check(in: context)
    self.config = config
  }

  public func optimizer(for parameters: [Parameter]) throws -> any Optimizer {
    try config.optimizer(for: parameters, decoupledDecay: true)
  }
}

private let warmUpHelp = "Epochs over which the rate rises to its full value."

public struct ConstantSchedule: RateSchedule {
  public struct Config: ComponentConfig {
    public var warmUp = 0.0
    public init() {}
    public static let help: KeyValuePairs = ["warmUp": warmUpHelp]
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) throws {
    try requireRate(config.warmUp, "warmUp", of: context)
    self.config = config
  }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.constant.factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}

public struct StepSchedule: RateSchedule {
  public struct Config: ComponentConfig {
    public var epochs = 30
    public var factor = 0.1
    public var warmUp = 0.0
    public init() {}
    public static let help: KeyValuePairs = [
      "epochs": "Epochs between changes.", "factor": "What the rate is multiplied by.", "warmUp": warmUpHelp,
    ]
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) throws {
    try requirePositive([config.epochs], "epochs", of: context)
    try requireRate(config.factor, "factor", of: context)
    try requireRate(config.warmUp, "warmUp", of: context)
    self.config = config
  }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.step(epochs: config.epochs, factor: config.factor)
      .factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}

public struct CosineSchedule: RateSchedule {
  public struct Config: ComponentConfig {
    public var floor = 0.0
    public var warmUp = 0.0
    public init() {}
    public static let help: KeyValuePairs = [
      "floor": "Share of the rate that is left at the end.", "warmUp": warmUpHelp,
    ]
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) throws {
    try requireRate(config.floor, "floor", of: context)
    try requireRate(config.warmUp, "warmUp", of: context)
    self.config = config
  }

  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
    Schedule.cosine(floor: config.floor)
      .factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs, warmUp: config.warmUp)
  }
}
