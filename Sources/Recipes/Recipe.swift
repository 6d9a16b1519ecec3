import LatentKit

/// A model and how it is trained, measured and sampled: everything that a run depends on.
///
/// A recipe as written may leave parts out; `Composer.resolve` fills in what the chosen parts declare as their
/// companions, and every setting. A run saves the resolved recipe.
public struct Recipe: Sendable, Equatable {
  public var name: String?
  /// What the recipe reproduces: `Table 2, CSAE β = 0.04 with convolution`.
  public var about: String?
  public var seed: Int
  /// The data set and its settings: `{use: mnist, with: {pad: 2}}`.
  public var data: PartChoice?
  /// What is done to rows of numbers before the model sees them, in order: `[log1p, center, scale]`.
  public var transforms: [PartChoice]?
  public var encoder: PartChoice?
  public var decoder: PartChoice?
  public var classifier: PartChoice?
  public var discriminator: PartChoice?
  public var prior: PartChoice?
  public var noise: PartChoice?
  public var sampler: PartChoice?
  public var metrics: [PartChoice]?
  public var stages: [Stage]?

  public init() { seed = 0 }

  /// The seed as generators take it; any whole number will do.
  public var randomSeed: UInt64 { UInt64(bitPattern: Int64(seed)) }

  /// A stretch of training with one set of steps.
  public struct Stage: Sendable, Equatable {
    public var name: String
    public var epochs: Int
    public var batch: Int
    /// Train on this many examples of the training part only, balanced over classes; nil for all.
    public var examples: Int?
    /// What happens for every batch, in order.
    public var steps: [Step]
    /// What happens once after the last epoch.
    public var then: [Action]

    public init(
      name: String = "main", epochs: Int = 10, batch: Int = 128, examples: Int? = nil, steps: [Step] = [],
      then: [Action] = []
    ) {
      self.name = name
      self.epochs = epochs
      self.batch = batch
      self.examples = examples
      self.steps = steps
      self.then = then
    }
  }

  /// One optimiser step: which parts change, under which losses.
  public struct Step: Sendable, Equatable {
    /// Slots whose parameters change: `encoder`, `decoder`, `classifier`, `discriminator`, `prior`. Parameters of the
    /// step's own losses always change with it.
    public var train: [String]
    /// How often the step runs for each batch. More than once, each repetition has a batch of its own.
    public var `repeat`: Int
    public var losses: [PartChoice]
    public var optimizer: PartChoice?
    public var schedule: PartChoice?
    /// The largest norm that the gradients may have together; nil leaves them alone.
    public var clip: Double?

    public init(
      train: [String], repeat count: Int = 1, losses: [PartChoice], optimizer: PartChoice? = nil,
      schedule: PartChoice? = nil, clip: Double? = nil
    ) {
      self.train = train
      self.repeat = count
      self.losses = losses
      self.optimizer = optimizer
      self.schedule = schedule
      self.clip = clip
    }
  }

  /// What a stage ends with.
  public enum Action: Sendable, Equatable {
    /// Projects every weight of two or more axes whose name begins with one of `parameters` (all, where that is empty).
    case project(PartChoice, parameters: [String])
    /// Freezes the weights that are zero now, for the rest of the run.
    case mask
    /// Takes the weights that are not masked back to the values the run started with.
    case rewind
  }
}
