/// How far a stage is when it trains on a batch. Checkpoints keep it, so that what follows from it resumes to the same bits.
public struct StagePosition: Sendable, Equatable {
  /// The batches that the stage has trained on so far.
  public var iteration: Int
  /// The batches of an epoch, 1 or more.
  public var iterationsPerEpoch: Int

  /// Creates a position.
  public init(iteration: Int, iterationsPerEpoch: Int) {
    (self.iteration, self.iterationsPerEpoch) = (iteration, iterationsPerEpoch)
  }

  /// The epochs done so far, with the part of the one at hand.
  public var epochs: Double { Double(iteration) / Double(max(iterationsPerEpoch, 1)) }
}
