import LatentKit

/// A model and how it is trained, measured and sampled: everything that a run depends on.
///
/// A recipe as written may leave parts out; `Composer.resolve` fills in what the chosen parts declare as their
/// companions, and every setting. A run saves the resolved recipe.
public struct Recipe: Sendable, Equatable {
  /// The name; nil without one.
  public var name: String?
  /// The result that the recipe reproduces: `Table 2, CSAE β = 0.04 with convolution`.
  public var about: String?
  /// The seed of every random draw, 0 or more.
  public var seed: Int
  /// The stages in order; nil where the recipe leaves them open.
  public var stages: [Stage]?
  /// Whether the same samples and reconstructions are drawn after each epoch; nil where the recipe leaves it open: a model with
  /// a discriminator and a decoder is watched.
  public var watch: Bool?
  /// How precisely the layers of the model compute in training; measuring and drawing are in Float32.
  public var precision = Precision.float32
  private var parts: [Slot: PartChoice] = [:]
  private var lists: [Slot: [PartChoice]] = [:]

  /// Creates an empty recipe with seed 0.
  public init() { seed = 0 }

  /// The part in a slot of the model, or the data: `recipe[.encoder]`. Nil where the recipe leaves it open.
  public subscript(_ slot: Slot) -> PartChoice? {
    get { parts[slot] }
    set { parts[slot] = newValue }
  }

  /// The parts in a slot that takes several: `recipe[all: .metric]`. Nil where the recipe leaves them open.
  public subscript(all slot: Slot) -> [PartChoice]? {
    get { lists[slot] }
    set { lists[slot] = newValue }
  }

  /// Returns whether a slot has a part, and not `none`.
  public func has(_ slot: Slot) -> Bool { parts[slot].map { $0.use != "none" } ?? false }

  /// The seed as generators take it.
  public var randomSeed: UInt64 { UInt64(max(seed, 0)) }

  /// A stretch of training with one set of steps.
  public struct Stage: Sendable, Equatable {
    /// The name, unique in the recipe.
    public var name: String
    /// The number of epochs, 1 or more.
    public var epochs: Int
    /// The batch size, 1 or more.
    public var batch: Int
    /// Train on this many examples of the training part only, balanced over classes; nil for all.
    public var examples: Int?
    /// The epochs, counted from 1, after which a checkpoint is kept beside the last one; ascending.
    public var keepEpochs: [Int] = []
    /// What ends the stage before its last epoch, and chooses the epoch whose weights it leaves; nil for the last epoch's.
    public var stop: Stop?
    /// The steps for every batch, in order.
    public var steps: [Step]
    /// The actions after the last epoch.
    public var then: [Action]

    /// Creates a stage.
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

  /// A step of a stage.
  public typealias Step = LatentKit.Step
  /// An action after a stage or step.
  public typealias Action = LatentKit.Action
}
