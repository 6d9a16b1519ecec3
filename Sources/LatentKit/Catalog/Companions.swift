/// A part by name with its settings: `{use: pedcc, with: {classes: 20}}`.
public struct PartChoice: Sendable, Equatable, ExpressibleByStringLiteral {
  /// The part's name.
  public var use: String
  /// The settings that differ from its defaults, by name.
  public var with: [String: Value]
  /// A factor; only losses have one.
  public var weight: Double

  /// Creates a value with these fields.
  public init(_ use: String, with settings: [String: Value] = [:], weight: Double = 1) {
    self.use = use
    self.with = settings
    self.weight = weight
  }

  public init(stringLiteral use: String) { self.init(use) }
}

/// An action at the end of a stage, or after a step.
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
  /// How often the step runs for each batch. More than once, each repetition has a batch of its own.
  public var `repeat`: Int
  /// The losses, whose weighted sum is minimised.
  public var losses: [PartChoice]
  /// The optimiser; nil for the one that the recipe's parts suggest.
  public var optimizer: PartChoice?
  /// The schedule of the learning rate; nil for the one that the recipe's parts suggest.
  public var schedule: PartChoice?
  /// The largest norm that the gradients may have together; nil leaves them alone.
  public var clip: Double?
  /// Projections after each of its runs.
  public var after: [Action]

  /// Creates a value with these fields.
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

/// The parts, settings and steps that go with a part unless the recipe says otherwise. All of it is written into the resolved recipe.
public struct Companions: Sendable {
  /// Parts for other slots: `[.decoder: "deconv", .optimizer: "adam"]`. The first of those that suggest one is taken, in the
  /// order prior, encoder, decoder, sampler, then the other slots.
  public var parts: [Slot: PartChoice]
  /// The losses of a recipe that names none.
  public var losses: [PartChoice]?
  /// Metrics for a recipe that names none; those of all parts together.
  public var metrics: [PartChoice]
  /// The epochs of a recipe without stages.
  public var epochs: Int?
  /// The batch size of a recipe without stages.
  public var batch: Int?
  /// Settings of other parts where they know them: `[.data: ["pad": 2], .encoder: ["code": "gaussian"]]`.
  public var settings: [Slot: [String: Value]]
  /// Steps that train this part, ahead of the stage's own: a critic's. They join each stage that has a step for the decoder,
  /// unless the recipe trains the part already.
  public var steps: [Step]
  /// Losses that join the step which trains another slot, together with `steps`:
  /// `[.decoder: [PartChoice("adversarial", weight: 0.01)]]`.
  public var joining: [Slot: [PartChoice]]

  /// Creates a value with these fields.
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
