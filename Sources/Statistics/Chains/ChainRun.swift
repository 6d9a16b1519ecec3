import LatentKit

/// The lengths of a run of chains.
public struct ChainSchedule: Sendable {
  /// Steps that are thrown away, 0 or more.
  public var warmUp: Int
  /// Steps that are recorded after the warm-up.
  public var steps: Int

  /// Creates the lengths of a run.
  public init(warmUp: Int = 0, steps: Int) { (self.warmUp, self.steps) = (warmUp, steps) }
}

/// Tunes step sizes in the warm-up to an acceptance rate (Robbins & Monro 1951); after it they stay as they are, so that
/// chains follow their density.
///
/// After step `t`, from 0, the logarithm of a group's step size grows by `(rate − target) / √(t + 1)`, with the share of the
/// group's chains that accepted the step's proposal as rate.
public struct StepSizeTuning: Sendable {
  /// The acceptance rate that tuning aims at, between 0 and 1.
  public var targetAcceptance: Double

  /// Creates the tuning with a target acceptance rate, 0 to 1.
  public init(targetAcceptance: Double = 0.3) { self.targetAcceptance = targetAcceptance }

  /// Returns the step size after a step of the warm-up.
  ///
  /// - Parameters:
  ///   - size: `[groups, 1, 1]`.
  ///   - accepted: Which chains took their proposal, `[groups, chains]` Bool.
  ///   - step: The number of the step, from 0.
  public func next(_ size: Tensor, accepted: Tensor, after step: Int) throws -> Tensor {
    let rate = 1 / Double(step + 1).squareRoot()
    let error = try accepted.to(size.dtype).mean(axis: 1).reshaped([accepted.size(0), 1, 1]) - targetAcceptance
    return try size * (error * rate).exp()
  }
}

/// Another transition, over the same densities, that chains make before every so many-th step: a jump now and then among
/// small moves.
public struct OccasionalMove {
  /// Such a move comes before step `every − 1`, `2 · every − 1`, …, counted from 0 in the warm-up and again after it.
  public var every: Int
  /// Its acceptance is not counted, and its step size not tuned.
  public var transition: any Transition

  /// - Parameter every: 1 or more.
  public init(every: Int, _ transition: any Transition) { (self.every, self.transition) = (every, transition) }
}

/// The recorded states of chains.
public struct ChainRecord: Sendable {
  /// Every step after the warm-up, `[groups, chains, steps, dimensions]`, repeated where a move was rejected.
  public let positions: Tensor
  /// Accepted moves of each group after the warm-up, over all moves, 0 to 1; nil where every move is accepted.
  public let acceptance: [Double]?
  /// The step size of each group in the recorded steps, `[groups, 1, 1]`; nil where it was not tuned.
  public let stepSize: Tensor?
}

extension Transition {
  /// Runs chains from some places.
  ///
  /// - Parameters:
  ///   - starts: `[groups, chains, dimensions]`.
  ///   - occasionally: Made before every so many-th step.
  /// - Throws: `TensorError` for starts of another shape, a schedule without steps or an occasional move that is due every 0
  ///   steps; what the transitions throw.
  public func run(
    from starts: Tensor, _ schedule: ChainSchedule, occasionally: OccasionalMove? = nil,
    using generator: inout Generator
  ) throws -> ChainRecord {
    var chains = try RunningChains(at: starts, schedule, self, occasionally)
    for step in 0..<schedule.warmUp { _ = try chains.move(by: self, step, using: &generator) }
    return try chains.record(schedule.steps, of: self, stepSize: nil, using: &generator)
  }
}

extension TunableTransition {
  /// Runs chains from some places, and tunes their step sizes in the warm-up.
  ///
  /// - Parameters: As without tuning.
  /// - Throws: As without tuning, and `TensorError` for a target outside of 0 to 1.
  public func run(
    from starts: Tensor, _ schedule: ChainSchedule, tuning: StepSizeTuning?, occasionally: OccasionalMove? = nil,
    using generator: inout Generator
  ) throws -> ChainRecord {
    guard let tuning else { return try run(from: starts, schedule, occasionally: occasionally, using: &generator) }
    guard 0 < tuning.targetAcceptance, tuning.targetAcceptance < 1 else {
      throw TensorError(
        "chains", reason: "found a target acceptance of \(tuning.targetAcceptance), expected between 0 and 1")
    }
    var tuned = self
    var chains = try RunningChains(at: starts, schedule, tuned, occasionally)
    for step in 0..<schedule.warmUp {
      guard let accepted = try chains.move(by: tuned, step, using: &generator) else { continue }
      tuned.stepSize = try tuning.next(tuned.stepSize, accepted: accepted, after: step)
    }
    return try chains.record(schedule.steps, of: tuned, stepSize: tuned.stepSize, using: &generator)
  }
}

private struct RunningChains {
  private var state: ChainState
  private let occasionally: OccasionalMove?

  init(
    at starts: Tensor, _ schedule: ChainSchedule, _ transition: some Transition, _ occasionally: OccasionalMove?
  ) throws {
    func refuse(_ reason: String) -> TensorError { TensorError("chains", shapes: [starts.shape], reason: reason) }
    guard starts.rank == 3 else { throw refuse("expected starts [groups, chains, dimensions]") }
    guard schedule.warmUp >= 0, schedule.steps >= 1 else {
      throw refuse(
        "found \(schedule.warmUp) steps of warm-up and \(schedule.steps) after it, expected 0 or more and 1 or more")
    }
    if let every = occasionally?.every, every < 1 {
      throw refuse("found an occasional move every \(every) steps, expected 1 or more")
    }
    state = try transition.start(at: starts)
    self.occasionally = occasionally
  }

  /// Returns which chains took their proposal.
  mutating func move(
    by transition: some Transition, _ step: Int, using generator: inout Generator
  ) throws -> Tensor? {
    if let occasionally, step % occasionally.every == occasionally.every - 1 {
      let moved = try occasionally.transition.step(state, using: &generator).0
      // The other transition may keep less in its state.
      state = moved.logDensities == nil ? try transition.start(at: moved.positions) : moved
    }
    let (next, info) = try transition.step(state, using: &generator)
    state = next
    return info.accepted
  }

  mutating func record(
    _ steps: Int, of transition: some Transition, stepSize: Tensor?, using generator: inout Generator
  ) throws -> ChainRecord {
    var positions: [Tensor] = []
    var accepted: Tensor?
    for step in 0..<steps {
      if let taken = try move(by: transition, step, using: &generator)?.to(.float32, .cpu).mean(axis: 1) {
        accepted = try accepted.map { try $0 + taken } ?? taken
      }
      positions.append(state.positions)
    }
    return ChainRecord(
      positions: try .stack(positions, axis: 2), acceptance: try accepted.map { try ($0 / Double(steps)).doubles() },
      stepSize: stepSize)
  }
}
