import LatentKit

extension Recipe {
  /// Early stopping: a stage ends once a number of the validation part has not improved for some epochs, and leaves the weights of
  /// the epoch where that number was best.
  public struct Stop: Sendable, Equatable {
    /// A loss term, or what a metric measures: `total`, `accuracy`, `nearest-class-mean`.
    public var metric = "total"
    /// The epochs without an improvement after which the stage ends, 1 or more.
    public var patience = 10
    /// The least improvement that patience counts as one, 0 or more. Every better epoch is the best one, by however little.
    public var improvement = 0.0
    /// Which values are better; nil where the metric says so. Losses are better where they are lower.
    public var goal: Goal?

    /// Creates the default: the weighted sum of the losses, and a patience of 10 epochs.
    public init() {}
  }
}

extension Recipe.Stop {
  /// What a name in `metric` stands for.
  package enum Target: Equatable {
    /// A loss term as logs call it: `mse`, `2.mse`.
    case loss(String)
    /// A measurement of a metric, by its own name: `nearest-class-mean accuracy`.
    case measurement(String, ofMetric: String)
  }

  /// Returns what `metric` stands for: a loss term, which may go without the number of its step where one step alone has it; a
  /// measurement; or the first measurement of a metric of that name. Spaces and hyphens are alike. Nil for none of them.
  ///
  /// - Parameters:
  ///   - losses: The terms of the stage, as logs call them.
  ///   - measurements: What each metric measures, by the metric's name in the recipe.
  package func target(
    losses: some Collection<String>, measurements: [(metric: String, names: [String])]
  ) -> Target? {
    func plain(_ name: String) -> String { String(name.map { $0 == " " ? "-" : $0 }) }
    let wanted = plain(metric)
    if let loss = losses.first(where: { plain($0) == wanted }) { return .loss(loss) }
    let alike = losses.filter { plain($0.replacing(/^[0-9]+\./, with: "")) == wanted }
    if alike.count == 1, let loss = alike.first { return .loss(loss) }
    for (metric, names) in measurements {
      if let name = names.first(where: { plain($0) == wanted }) { return .measurement(name, ofMetric: metric) }
    }
    return measurements.first { $0.metric == metric }.flatMap { found in
      found.names.first.map { .measurement($0, ofMetric: found.metric) }
    }
  }
}
