/// One optimiser step, or a group of steps that take turns.
///
/// A step says which parts change, under which losses. A group has `steps` and `repeat`, and nothing else.
public struct Step: Sendable, Equatable {
  /// The slots whose parameters change. Parameters of the step's own losses always change with it.
  public var train: [String]
  /// The number of runs for each batch, 1 or more. Repetitions each take a batch of their own, which the steps of a group
  /// share.
  public var `repeat`: Int
  /// Whether each run takes a batch of its own, also where it is not repeated.
  public var ownBatch: Bool
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
  /// Whether `losses` and `after` are complete: nothing that parts bring joins them.
  public var isComplete: Bool
  /// The steps of a group, in order; empty for a step.
  public var steps: [Step]

  /// Creates a step.
  public init(
    train: [String], repeat count: Int = 1, ownBatch: Bool = false, losses: [PartChoice], optimizer: PartChoice? = nil,
    schedule: PartChoice? = nil, clip: Double? = nil, after: [Action] = [], isComplete: Bool = false
  ) {
    self.train = train
    self.repeat = count
    self.ownBatch = ownBatch
    self.losses = losses
    self.optimizer = optimizer
    self.schedule = schedule
    self.clip = clip
    self.after = after
    self.isComplete = isComplete
    steps = []
  }

  /// Creates a group: its steps run in order, `count` times for each batch.
  public init(repeat count: Int, steps: [Step]) {
    self.init(train: [], repeat: count, losses: [])
    self.steps = steps
  }

  /// Whether this is a group of steps.
  public var isGroup: Bool { !steps.isEmpty }

  /// The steps inside a group, and inside its groups, in order; a step itself.
  public var leaves: [Step] { isGroup ? steps.flatMap(\.leaves) : [self] }
}
