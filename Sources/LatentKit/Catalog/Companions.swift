/// A part by name with its settings: `{use: pedcc, with: {classes: 20}}`.
public struct PartChoice: Sendable, Equatable, ExpressibleByStringLiteral {
  /// The name of the part.
  public var use: String
  /// The settings that differ from the defaults.
  public var with: [String: Value]
  /// A factor; only losses have one.
  public var weight: Double

  /// Creates a choice.
  public init(_ use: String, with settings: [String: Value] = [:], weight: Double = 1) {
    self.use = use
    self.with = settings
    self.weight = weight
  }

  public init(stringLiteral use: String) { self.init(use) }
}

/// An action at the end of a stage, or after each run of a step.
public enum Action: Sendable, Equatable {
  /// Projects every weight of two or more axes whose name begins with one of `parameters` (all of the model, or of what the
  /// step trains, where that is empty); biases, slopes and other vectors too, where `biases` is true.
  case project(PartChoice, parameters: [String] = [], biases: Bool = false)
  /// Freezes the weights that are zero now, for the rest of the run.
  case mask
  /// Takes the weights that are not masked back to the values the run started with.
  case rewind
}

/// One optimiser step: which parts change, under which losses.
public struct Step: Sendable, Equatable {
  /// The slots whose parameters change. Parameters of the step's own losses always change with it.
  public var train: [String]
  /// The number of runs for each batch, 1 or more. Repetitions each take a batch of their own.
  public var `repeat`: Int
  /// The losses, whose weighted sum the step minimises.
  public var losses: [PartChoice]
  /// The optimiser; nil for the recipe's default.
  public var optimizer: PartChoice?
  /// The learning-rate schedule; nil for the recipe's default.
  public var schedule: PartChoice?
  /// The limit of the gradients' common norm, above 0; nil for none.
  public var clip: Double?
  /// The actions after each of its runs: projections.
  public var after: [Action]

  /// Creates a step.
  public init(
    train: [String], repeat count: Int = 1, losses: [PartChoice], optimizer: PartChoice? = nil,
    schedule: PartChoice? = nil, clip: Double? = nil, after: [Action] = []
  ) {
    self.train = train
    self.repeat = count
    self.losses = losses
    self.optimizer = optimizer
    self.schedule = schedule
    self.clip = clip
    self.after = after
  }
}

/// Defaults that a part declares for the rest of a recipe. All of them are written into the resolved recipe.
public struct Companions: Sendable {
  /// Parts for other slots: `[.decoder: "deconv", .optimizer: "adam"]`. The first of those that suggest one is taken, in the
  /// order prior, encoder, decoder, sampler, then the other slots.
  public var parts: [Slot: PartChoice]
  /// The losses of a recipe that names none.
  public var losses: [PartChoice]?
  /// Metrics for a recipe that names none; those of all parts together.
  public var metrics: [PartChoice]
  /// The number of epochs, 1 or more.
  public var epochs: Int?
  /// The batch size, 1 or more.
  public var batch: Int?
  /// Settings of other parts, applied where those have them: `[.data: ["pad": 2], .encoder: ["code": "gaussian"]]`.
  public var settings: [Slot: [String: Value]]
  /// Steps that train this part, ahead of the stage's own: a critic's. They join each stage that has a step for the decoder,
  /// unless the recipe trains the part already.
  public var steps: [Step]
  /// Losses that join the step which trains another slot, together with `steps`:
  /// `[.decoder: [PartChoice("adversarial", weight: 0.01)]]`.
  public var joining: [Slot: [PartChoice]]

  /// Creates companions; nil and empty values leave the choice to others.
  public init(
    _ parts: [Slot: PartChoice] = [:], losses: [PartChoice]? = nil, metrics: [PartChoice] = [], epochs: Int? = nil,
    batch: Int? = nil, settings: [Slot: [String: Value]] = [:], steps: [Step] = [], joining: [Slot: [PartChoice]] = [:]
  ) {
    self.parts = parts
    self.losses = losses
    self.metrics = metrics
    self.epochs = epochs
    self.batch = batch
    self.settings = settings
    self.steps = steps
    self.joining = joining
  }
}
