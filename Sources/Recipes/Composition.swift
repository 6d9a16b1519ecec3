import LatentKit

/// The data that a model is composed for.
public struct DataShape: Sendable, Equatable, Codable {
  /// The title in messages: `data 'mnist'`.
  public var title: String
  /// `[channels, height, width]`, after padding, or `[features]`.
  public var inputShape: [Int]
  /// The least and greatest value of inputs; nil without bounds.
  public var inputRange: ClosedRange<Double>?
  /// Pixels that were added on each side of an image.
  public var padding: Int
  /// The number of classes; nil without labels.
  public var classCount: Int?
  /// The class names in order; nil where classes have numbers only.
  public var classNames: [String]?
  /// Whether labels of some training examples are hidden.
  public var isPartlyLabelled: Bool
  /// How many training examples have a label where some are hidden and batches hold as many as chance brings; nil elsewhere.
  public var labelledByChance: Int?
  /// How many examples the training part has; nil where that is not known.
  public var trainingCount: Int?
  /// How many examples the validation part has; nil where that is not known.
  public var validationCount: Int?
  /// Whether examples count differently, as `data.classWeights` says.
  public var isWeighted: Bool
  /// What rows of numbers were made of: the names of the columns and the fitted transforms; empty for images.
  public var inputUnits = ""
  /// The classes of which no training example has a label.
  public var missingClasses: [Int] = []
  /// The largest size of a value of rows of numbers in the training part; nil for images, and where that is not known.
  public var largestInput: Double?

  /// Creates a description of data.
  public init(
    title: String, inputShape: [Int], inputRange: ClosedRange<Double>?, padding: Int = 0, classCount: Int?,
    classNames: [String]? = nil, isPartlyLabelled: Bool = false, isWeighted: Bool = false, trainingCount: Int? = nil
  ) {
    self.title = title
    self.inputShape = inputShape
    self.inputRange = inputRange
    self.padding = padding
    self.classCount = classCount
    self.classNames = classNames
    self.isPartlyLabelled = isPartlyLabelled
    self.trainingCount = trainingCount
    self.isWeighted = isWeighted
  }
}

/// A recipe turned into parts that fit each other.
public struct Composition {
  /// The resolved recipe.
  public let recipe: Recipe
  /// The data that it was composed for.
  public let data: DataShape
  /// The model.
  public let model: Model
  /// The sampler.
  public let sampler: any Sampler
  /// The metrics in the recipe's order.
  public let metrics: [NamedMetric]
  /// The stages in order.
  public let stages: [ComposedStage]
  /// Every parameter and buffer of every part and loss.
  public let store: ParameterStore
  /// The mode of each slot's part, and of each loss under its scope's path.
  public let modes: [String: Mode]
}

/// A metric with its name in the recipe; one that a recipe has twice gets a number the second time.
public struct NamedMetric {
  /// The name.
  public let name: String
  /// The metric.
  public let metric: any Metric
}

/// A stage with its parts made.
public struct ComposedStage {
  /// The stage in the resolved recipe.
  public let recipe: Recipe.Stage
  /// The steps in order, those of groups among them.
  public let steps: [ComposedStep]
  /// The order in which the steps run for each batch.
  public let turns: [Turn]
  /// The actions after the last epoch.
  public let actions: [ComposedAction]
}

extension ComposedStage {
  /// Whether one of the losses needs labels.
  public var needsLabels: Bool { steps.contains { $0.losses.contains { $0.loss.needs.contains(.labels) } } }

  /// Returns the name of a step's term in logs: its own, with the step's number where a stage has several steps.
  package func label(_ term: String, step: Int) -> String { steps.count == 1 ? term : "\(step + 1).\(term)" }

  /// How often each step runs for a batch, in the order of `steps`.
  public var runs: [Int] {
    func runs(_ turns: [Turn], times: Int) -> [Int] {
      turns.flatMap { turn in
        switch turn {
        case .step(let number): [times * steps[number].recipe.repeat]
        case .group(let count, let inner): runs(inner, times: times * count)
        }
      }
    }
    return runs(turns, times: 1)
  }

  /// How many batches beside the one at hand an iteration takes: one for each repetition, and for steps that ask for one.
  public var extraBatches: Int {
    func extra(_ turns: [Turn]) -> (count: Int, sharesOne: Bool) {
      turns.reduce(into: (0, false)) { sum, turn in
        switch turn {
        case .step(let number):
          let step = steps[number].recipe
          if step.repeat > 1 || step.ownBatch { sum.count += step.repeat } else { sum.sharesOne = true }
        case .group(let count, let inner):
          let each = extra(inner)
          sum.count += count * each.count + (count > 1 && each.sharesOne ? count : 0)
          if count == 1, each.sharesOne { sum.sharesOne = true }
        }
      }
    }
    return extra(turns).count
  }
}

/// What runs for a batch: a step, by its place in `ComposedStage.steps`, or a group a number of times.
public indirect enum Turn: Sendable {
  case step(Int)
  case group(repeat: Int, [Turn])
}

/// A step with its parts made.
public struct ComposedStep {
  /// The step in the resolved recipe.
  public let recipe: Recipe.Step
  /// The losses in the recipe's order, with their names and weights.
  public let losses: [WeightedLoss]
  /// The parameters that the step changes: the weights of its parts, then of its losses.
  public let parameters: [Parameter]
  /// The optimiser.
  public let optimizer: any OptimizerRule
  /// The learning-rate schedule.
  public let schedule: any LearningRateSchedule
  /// The actions after each optimiser step: projections.
  public let after: [ComposedAction]

  /// The value of one term of the step's losses.
  public struct TermValue {
    /// The term's name; one that two losses of the step share gets a number the second time.
    public let name: String
    /// The name of its loss in the step.
    public let loss: String
    /// The weight of its loss.
    public let weight: Double
    /// A scalar.
    public let value: Tensor
    /// The sum of the weights of its examples, by which batches are averaged; nil where that is the batch's size.
    public let share: Tensor?
  }

  /// Returns the terms of all losses, in order, as scalars.
  ///
  /// - Parameter place: Where they are asked for, in messages: the stage, say.
  /// - Throws: What a loss refuses, and `RecipeError` with the place and the loss for an operation that libtorch refuses.
  public func terms(
    _ forward: Forward, under prior: any Prior, at place: @autoclosure () -> String? = nil
  ) throws -> [TermValue] {
    var values: [TermValue] = []
    for weighted in losses {
      let terms: [(name: String, value: Tensor, share: Tensor?)]
      do { terms = try forward.reduced(weighted.loss, under: prior) } catch let error as TensorError {
        throw RecipeError("\(place().map { "\($0), " } ?? "")loss '\(weighted.name)': \(error)")
      }
      for (term, value, share) in terms {
        let name = unused(term, among: values.map(\.name))
        values.append(TermValue(name: name, loss: weighted.name, weight: weighted.weight, value: value, share: share))
      }
    }
    return values
  }
}

/// Returns a name that is not taken: the name itself, or the name with a number.
func unused(_ name: String, among taken: [String]) -> String {
  guard taken.contains(name) else { return name }
  var number = 2
  while taken.contains("\(name)-\(number)") { number += 1 }
  return "\(name)-\(number)"
}

/// A loss with its name and its weight in a step.
public struct WeightedLoss {
  /// The name; a loss that a step has twice gets a number the second time.
  public let name: String
  /// The factor of its terms.
  public let weight: Double
  /// The loss.
  public let loss: any Loss
}

/// An action with its parts made, and the parameters that it applies to.
public enum ComposedAction {
  /// Projects parameters onto a set.
  case project(any Constraint, [Parameter])
  /// Freezes the weights that are zero.
  case mask
  /// Resets the other weights to their initial values.
  case rewind
}
