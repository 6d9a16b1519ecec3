/// A learning-rate schedule over a stage.
public protocol LearningRateSchedule: Part {
  /// Returns a factor of the optimiser's learning rate, 0 or more.
  /// - Parameter step: Steps done in the stage so far.
  func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double
}

extension SlotKey where Role == any LearningRateSchedule {
  /// The slot of learning-rate schedules.
  public static var schedule: Self { Self(.schedule) }
}

extension Contribution {
  /// Returns a learning-rate schedule as a contribution, made from a component.
  public static func schedule<C: LearningRateSchedule & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.schedule, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
