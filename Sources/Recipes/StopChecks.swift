import Files
import LatentKit

extension DryRun {
  /// Refuses stages that would end by what no epoch measures on the validation part: without one, by a name that is none, or by a
  /// metric that says nothing about which values are better.
  ///
  /// - Parameter measurements: What each metric measures.
  /// - Throws: `ConfigError`.
  mutating func checkStops(_ measurements: [(metric: NamedMetric, names: [String])]) throws {
    for (index, stage) in composition.stages.enumerated() {
      guard let stop = stage.recipe.stop else { continue }
      do { try check(stop, of: stage, measurements) } catch let refusal as RecipeError {
        throw ConfigError(path: "stages[\(index)].stop.metric", refusal.description)
      }
    }
  }

  private mutating func check(
    _ stop: Recipe.Stop, of stage: ComposedStage, _ measurements: [(metric: NamedMetric, names: [String])]
  ) throws {
    let place = "stage '\(stage.recipe.name)'"
    if data.validationCount == 0 {
      throw RecipeError(
        "\(place) stops by '\(stop.metric)' of the validation part, and \(data.title) holds out none; set data.validation to a share, "
          + "0.1 say, or leave 'stop' out: test data choose nothing")
    }
    let losses = try lossNames(of: stage)
    func names(_ timing: MetricTiming) -> [(metric: String, names: [String])] {
      measurements.filter { $0.metric.metric.timing == timing }.map { ($0.metric.name, $0.names) }
    }
    let known = names(.everyEpoch)
    let choices = losses + known.flatMap(\.names)
    guard let target = stop.target(losses: losses, measurements: known) else {
      let isAtEnd = composition.metrics.contains { $0.name == stop.metric && $0.metric.timing == .atEnd }
      if isAtEnd || stop.target(losses: [], measurements: names(.atEnd)) != nil || stop.metric.hasPrefix("test/") {
        throw RecipeError(
          "\(place) stops by '\(stop.metric)', which is measured on the test part, at the end, and test data choose nothing; "
            + "choose one of: \(choices.joined(separator: ", "))")
      }
      if catalog.descriptions(of: .metric).contains(where: { $0.name == stop.metric }) {
        throw RecipeError(
          "\(place) stops by '\(stop.metric)', which the recipe does not measure; add it to metrics, or choose one of: "
            + choices.joined(separator: ", "))
      }
      throw RecipeError(
        "\(place) stops by the validation part: \(UnknownName(stop.metric, among: choices, of: "metric"))")
    }
    let (name, best): (String, Goal?)
    switch target {
    case .loss: (name, best) = (stop.metric, .lowest)
    case .measurement(let measured, let owner):
      let metric = measurements.first { $0.metric.name == owner }?.metric.metric
      (name, best) = (measured, (metric as? any RankingMetric)?.goal(of: measured))
      guard best != nil || stop.goal != nil else {
        throw RecipeError(
          "\(place) stops by '\(name)', and metric '\(owner)' does not say which values are better; add goal: highest, or goal: lowest"
        )
      }
    }
    if let goal = stop.goal, let best, goal != best {
      warnings.append(
        "\(place) stops where '\(name)' is \(goal.rawValue), and \(best.rawValue) is best; is the goal meant?")
    }
  }

  /// The terms of a stage's losses as logs call them, with `total`.
  private func lossNames(of stage: ComposedStage) throws -> [String] {
    let forward = pass(batch, training: false)
    return try withoutGradients {
      try stage.steps.enumerated().flatMap { number, step in
        let terms = try step.terms(forward, under: model.prior, at: "stage '\(stage.recipe.name)'").map(\.name)
        return (["total"] + terms).map { stage.label($0, step: number) }
      }
    }
  }
}
