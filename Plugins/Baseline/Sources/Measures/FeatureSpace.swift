import LatentKit

/// Features of the measured part and of samples, in the latent space of an independently trained classifier: what measures of two
/// samples compare.
struct FeatureSpace {
  private let judge: IndependentClassifier
  private let sampleCount: Int
  private let comparesTraining: Bool
  private var measured: [Tensor] = []

  /// - Throws: `RecipeError` where the run cannot be opened, has no classifier, or knows other inputs or classes than the data.
  init(_ classifier: String?, samples: Int, comparesTraining: Bool, in context: BuildContext) throws {
    judge = try IndependentClassifier(classifier, in: context)
    (sampleCount, self.comparesTraining) = (samples, comparesTraining)
  }

  /// The length of a feature vector.
  var dimensions: Int { judge.featureCount }

  /// What is asked of the evaluation.
  var sources: MetricSources { comparesTraining ? [.samples, .trainingInputs] : .samples }

  /// Takes in a batch of the measured part.
  mutating func update(_ forward: Forward) throws { measured.append(try judge.features(of: forward.inputs)) }

  /// Returns what `measure` finds of samples, and of as many training examples where that was asked for, each beside the
  /// measured part.
  ///
  /// - Parameters:
  ///   - names: The quantities; those of training examples have ` of training examples` after them.
  ///   - measure: Returns the values of these quantities given the features of the measured part and of the others, `[count, features]`
  ///     Float64 each; or why there are none.
  func measure(
    _ names: [(name: String, unit: String)], _ evaluation: Evaluation,
    by measure: (Tensor, Tensor) throws -> Result<[Double], Missing>
  ) throws -> [Measured] {
    let real = try Tensor.concatenate(measured)
    func values(_ others: Tensor, _ suffix: String) throws -> [Measured] {
      let result =
        try real.isFinite().all() && others.isFinite().all()
        ? try measure(real, others)
        : .failure(Missing("features are not finite; the decoder or the classifier diverged"))
      return switch result {
      case .success(let values): zip(names, values).map { Measured($0.name + suffix, $1, unit: $0.unit) }
      case .failure(let reason): names.map { Measured($0.name + suffix, missing: reason.text, unit: $0.unit) }
      }
    }
    var found = try values(judge.features(of: evaluation.samples(sampleCount).inputs), "")
    if comparesTraining { found += try values(trainingFeatures(evaluation), " of training examples") }
    return found
  }

  /// Features of training examples, as many as samples, spread evenly over the part.
  private func trainingFeatures(_ evaluation: Evaluation) throws -> Tensor {
    let chosen = EvenChoice(sampleCount, of: try evaluation.training.latents.size(0))
    var (start, features) = (0, [Tensor]())
    try evaluation.forEachTrainingBatch { batch in
      let count = try batch.inputs.size(0)
      let places = (0..<count).filter { chosen.contains(start + $0) }
      if !places.isEmpty { features.append(try judge.features(of: batch.inputs.rows(places))) }
      start += count
    }
    return try .concatenate(features)
  }

  /// The help of the setting that compares training examples.
  static let trainingHelp =
    "Also measure as many training examples against the measured part: what samples as good as data would have."
}

/// Why there is no number.
struct Missing: Error {
  let text: String
  init(_ text: String) { self.text = text }
}

/// Some of the numbers below a count, spread evenly: the same each time, and of sorted data every part.
struct EvenChoice {
  private let (wanted, count): (Int, Int)

  /// - Parameter wanted: How many; all where there are fewer.
  init(_ wanted: Int, of count: Int) { (self.wanted, self.count) = (min(wanted, count), count) }

  func contains(_ index: Int) -> Bool { (index + 1) * wanted / count > index * wanted / count }

  /// The numbers in order.
  var all: [Int] { (0..<count).filter(contains) }
}
