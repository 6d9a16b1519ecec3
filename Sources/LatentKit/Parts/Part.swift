/// The base of every role. A role defines what a part does; `Component` defines how a recipe makes one, or the
/// closure of an `Entry`.
public protocol Part {
  /// The requirements on the data. The composer checks it before training.
  var needs: DataNeeds { get }

  /// The precision that the part computes in where its inputs are Float64. The checks compare its gradients with differences of
  /// steps and a tolerance that suit it.
  var precision: DType { get }
}

extension Part {
  /// No requirement.
  public var needs: DataNeeds { [] }
  /// Float64.
  public var precision: DType { .float64 }
}

/// Requirements of a part on the data.
public struct DataNeeds: OptionSet, Sendable {
  /// The requirements as bits.
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Labels, of some examples at least. An encoder, a decoder or a discriminator is given labels only if it needs them.
  public static let labels = DataNeeds(rawValue: 1)
  /// A label of every example: partly labelled data do not suffice.
  public static let everyLabel = DataNeeds(rawValue: 1 | 2)
  /// Images `[channels, height, width]`.
  public static let images = DataNeeds(rawValue: 4)
}

/// A prior or a loss that learns from each batch without gradients: exponential averages, sample-by-sample rules.
///
/// Its state is kept in buffers of its scope, so that checkpoints hold it. A prior is updated after the steps that list
/// `prior` under `train`; a loss after its own step.
public protocol OnlineUpdate {
  /// Updates the state; called once after the optimiser's step, without gradients.
  ///
  /// - Parameter forward: The pass whose losses were just minimised; what it has computed is not computed again, so latents
  ///   are those from before the step.
  func update(after forward: Forward) throws
}
