import LatentKit

extension Composition {
  /// Sentences about settings that are legal and surely meant otherwise.
  var doubts: [String] { stages.flatMap { stage in stage.doubts(of: data) } }
}

extension ComposedStage {
  fileprivate func doubts(of data: DataShape) -> [String] {
    var found: [String] = []
    if let all = data.trainingCount {
      let count = min(recipe.examples ?? all, all)
      if recipe.batch > count {
        found.append(
          "stage '\(recipe.name)': batch is \(recipe.batch), and it trains on \(count) examples, so that each epoch is one "
            + "iteration; lower it")
      }
      if needsLabels, let labelled = data.labelledByChance {
        let share = shareWithoutLabels(batch: recipe.batch, labelled: labelled, of: all)
        if share > 0.1 {
          found.append(
            "stage '\(recipe.name)': \(Int((100 * share).rounded())) % of its batches of \(recipe.batch) hold none of the "
              + "\(labelled) labels; set data.labelledShare to the share of each batch that has one, 0.5 say")
        }
      }
    }
    for (number, step) in steps.enumerated() {
      let place = "stage '\(recipe.name)'" + (steps.count > 1 ? ", step \(number + 1)" : "")
      found += step.doubts(epochs: recipe.epochs).map { "\(place): \($0)" }
    }
    return found
  }
}

/// Returns the probability that a batch holds no labelled example.
func shareWithoutLabels(batch: Int, labelled: Int, of all: Int) -> Double {
  guard batch <= all - labelled else { return 0 }
  return (0..<batch).reduce(1) { $0 * Double(all - labelled - $1) / Double(all - $1) }
}

extension ComposedStep {
  fileprivate func doubts(epochs: Int) -> [String] {
    var found: [String] = []
    for loss in losses where loss.weight <= 0 {
      found.append(
        loss.weight == 0
          ? "loss '\(loss.name)' has weight 0, so that it changes nothing; leave it out, or give it a weight"
          : "loss '\(loss.name)' has weight \(loss.weight), so that training makes it larger; is the sign meant?")
    }
    if optimizer.learningRate > 10 {
      found.append("the learning rate is \(optimizer.learningRate); most models diverge above 10")
    }
    if let clip = recipe.clip, clip < 1e-6 {
      found.append("clip is \(clip), so that weights hardly move; gradients are commonly clipped to about 1")
    }
    let warmUp: Double? =
      switch recipe.schedule?.with["warmUp"] {
      case .double(let value)?: value
      case .int(let value)?: Double(value)
      default: nil
      }
    if let warmUp, warmUp > Double(epochs) {
      found.append(
        "the schedule's warmUp is \(warmUp) epochs and the stage has \(epochs), so that the full learning rate is never reached"
      )
    }
    return found
  }
}

extension DataShape {
  /// How much memory a batch takes, where it is much: a sentence for before it is taken.
  func estimate(batch: Int) -> String? {
    let bytes = 4 * Double(min(batch, trainingCount ?? batch)) * inputShape.reduce(1) { $0 * Double($1) }
    guard bytes > Double(1 << 28) else { return nil }
    return
      "a batch of \(batch) inputs \(inputShape) of \(title) takes \(gibibytes(bytes)), and every layer of that size as "
      + "much again, several times in training; lower data.pad or batch if memory or time run out"
  }
}
