/// The requirements that all roles share. A role says what a part does; how a recipe makes one is said by `Component`, or by the
/// closure of an `Entry`.
public protocol Part {
  /// The part's needs of the data. The composer checks it before training.
  var needs: DataNeeds { get }
}

extension Part {
  /// Nothing: any data will do.
  public var needs: DataNeeds { [] }
}

/// The needs of a part.
public struct DataNeeds: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Labels, of some examples at least. An encoder, a decoder or a discriminator is given labels only if it needs them.
  public static let labels = DataNeeds(rawValue: 1)
  /// A label of every example: data of which some labels are hidden will not do.
  public static let everyLabel = DataNeeds(rawValue: 1 | 2)
  /// Images `[channels, height, width]`.
  public static let images = DataNeeds(rawValue: 4)
}

/// A prior or a loss that learns from each batch without gradients: exponential averages, rules that go sample by sample.
///
/// Its state is kept in buffers of its scope, so that checkpoints hold it. A prior is updated after the steps that list
/// `prior` under `train`; a loss after its own step.
public protocol OnlineUpdate {
  /// Called once after the optimiser's step, without gradients.
  ///
  /// - Parameter forward: The pass whose losses were just minimised; what it has computed is not computed again, so latents
  ///   are those from before the step.
  func update(after forward: Forward) throws
}
