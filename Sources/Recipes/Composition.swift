import LatentKit

/// What a model is composed for.
public struct DataShape: Sendable, Equatable {
  /// What messages call the data: `data 'mnist'`.
  public var title: String
  /// `[channels, height, width]`, after padding, or `[features]`.
  public var inputShape: [Int]
  public var inputRange: ClosedRange<Double>?
  public var classCount: Int?

  public init(title: String, inputShape: [Int], inputRange: ClosedRange<Double>?, classCount: Int?) {
    self.title = title
    self.inputShape = inputShape
    self.inputRange = inputRange
    self.classCount = classCount
  }
}

/// A recipe turned into parts that fit each other.
public struct Composition {
  /// The resolved recipe.
  public let recipe: Recipe
  public let model: Model
  public let sampler: any Sampler
  public let metrics: [any Metric]
  public let stages: [ComposedStage]
  /// Every parameter and buffer of every part and loss.
  public let store: ParameterStore
  /// How each slot's part (and each loss, under its scope's path) runs now.
  public let modes: [String: Mode]
}

public struct ComposedStage {
  public let recipe: Recipe.Stage
  public let steps: [ComposedStep]
  public let actions: [ComposedAction]
}

public struct ComposedStep {
  public let recipe: Recipe.Step
  /// The losses in the recipe's order, with their names and weights.
  public let losses: [WeightedLoss]
  /// What the step changes: the weights of its parts, then of its losses.
  public let parameters: [Parameter]
  public let optimizer: any OptimizerRule
  public let schedule: any RateSchedule
}

public struct WeightedLoss {
  public let name: String
  public let weight: Double
  public let loss: any Loss
}

public enum ComposedAction {
  case project(any Constraint, [Parameter])
  case mask
  case rewind
}
