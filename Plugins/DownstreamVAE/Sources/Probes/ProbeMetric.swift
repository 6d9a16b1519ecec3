import Foundation
import LatentKit
import Statistics

/// How many labels a classification of latents costs (Chen & Dong 2019, Tables 1 and 2): for each number of labels, a small classifier is
/// trained on that many labelled training examples alone, the model staying as it is; accuracy in percent on the measured part, and on
/// the examples it was trained on, of which at most 10,000 count. Where the training part is measured, those are left out.
///
/// The examples are drawn by the seed, evenly over classes, more labels holding the fewer ones: the same for every model of one seed on
/// the same data, and those that a stage with as many `examples`, or `data.labelled`, has. So contenders can be compared in pairs.
///
/// - `logistic`: multinomial logistic regression in Float64, at its minimum: `½‖W‖² − C Σ_i log softmax(W x_i + b)_{y_i}`, with `C` as in
///   scikit-learn, biases without penalty.
/// - `mlp`: one hidden layer. `cnn`: two 3x3 convolutions of the latent as a square image, or of images whose sides are 8 or more three
///   with batch normalisation and 2x2 max pooling; then a hidden layer. Both by Adam and cosine annealing, in the step counts of `epochs`
///   and `steps`.
/// - `nearest-neighbours`: the most frequent class of the nearest.
///
/// Features are scaled to mean 0 and standard deviation 1 by the chosen examples, but pixels of a `cnn`.
///
/// - Shapes: features `[count, latent]`, `[count, 2 · latent]` of means and variances, and `[count, values of an input]` of pixels.
/// - Throws: `RecipeError` without labels, for a `cnn` on latents whose size is no square, on components or on rows of numbers, for
///   variances of a code of points, and for more components than an input has values.
public struct ProbeMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("What is trained.") public var classifier = ProbeClassifier.logistic
    @Setting(
      "What it is trained on: means of codes, one draw of each, means and log variances, the inputs, or their principal components."
    )
    public var features = ProbeFeatures.mean
    @Setting(
      "How many labelled examples it is trained on; more than there are, or fewer than classes, are reported missing.",
      .labelCounts)
    public var labels = [100, 1000, 2000, 5000, 10000, 20000, 50000]
    @Setting("Whether features are scaled to mean 0 and standard deviation 1; pixels of a cnn never are.") public
      var standardised = true
    @Setting("Of the choice of examples, draws of codes and networks; the run's unless set.", .atLeast(0))
    public var seed: Int? = nil
    @Setting("Logistic regression: the inverse strength of the L2 penalty of the weights.", .above(0, upTo: 1e12))
    public var c = 1.0
    @Setting("Nearest neighbours: how many vote.", .within(1...1000)) public var neighbors = 5
    @Setting("Principal components: how many; as many as latents unless set.", .atLeast(1)) public var components:
      Int? = nil
    @Setting("Networks: width of the hidden layer.", .within(1...65536)) public var hidden = 128
    @Setting("Networks: how often each example is seen.", .within(1...1_000_000)) public var epochs = 10
    @Setting("Networks: steps at least, of fewer examples.", .within(1...100_000_000)) public var steps = 500
    @Setting("Networks: examples per step.", .within(2...100_000)) public var batch = 128
    @Setting("Networks: Adam's learning rate.", .above(0, upTo: 10)) public var learningRate = 0.001
    public init() {}
  }

  /// Examples of the training ones whose accuracy is measured, at most.
  static let trainingCount = 10_000

  private let config: Config
  private let context: BuildContext
  private let classCount: Int
  private let reader: ProbeReader
  private var (read, labels) = ([Tensor](), [Tensor]())
  /// Of each example that was read, its place in the measured part; and how many there were in all.
  private var (places, count) = ([Int](), 0)

  public init(_ config: Config, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    reader = ProbeReader(config.features, in: context)
    if config.classifier == .cnn { _ = try reader.imageShape }
    if let components = config.components, config.features == .pca, components > reader.pixelCount {
      throw RecipeError(
        "\(context.title) found components \(components), and inputs of \(reader.pixelCount) values; set it to these or fewer"
      )
    }
    (self.config, self.context) = (config, context)
  }

  public var needs: DataNeeds { .labels }
  public var sources: MetricSources { .trainingInputs }

  public mutating func update(_ forward: Forward) throws {
    let start = count
    count += try forward.inputs.size(0)
    guard let (known, places) = try forward.batch.visibleLabels(), !known.shape.contains(0) else { return }
    let features = try reader.read(forward.inputs, code: { try forward.code }, using: &forward.random.generator)
    read.append(try features.rows(places))
    labels.append(known)
    self.places += try places.ints().map { start + $0 }
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    guard !read.isEmpty else {
      return [Measured(name, missing: "no measured example has a label", unit: "%")]
    }
    let wanted = try sizes(evaluation)
    let chosen = try examples(wanted.sizes.last ?? 0, evaluation)
    let measured = try Labelled(features: chosen.project(.concatenate(read)), labels: .concatenate(labels))
    var found: [Measured] = []
    var rows: [(String, [Double])] = []
    for size in wanted.sizes {
      let few = try chosen.examples.first(size)
      let test =
        evaluation.measuresTraining ? try measured.without(Set(chosen.order.prefix(size)), among: places) : measured
      guard let test else {
        found.append(Measured("\(name) at \(size) labels", missing: "all examples are trained on", unit: "%"))
        continue
      }
      let fitted = try fit(few, isRehearsal: evaluation.isRehearsal)
      let training = try few.first(min(size, ProbeMetric.trainingCount))
      let accuracies = [try fitted.accuracy(on: test), try fitted.accuracy(on: training)]
      var first = Measured("\(name) at \(size) labels", accuracies[0], unit: "%")
      first.warning = fitted.warning
      found += [first, Measured("\(name) at \(size) labels, training", accuracies[1], unit: "%")]
      rows.append(("\(size)", accuracies))
    }
    found += wanted.missing.map {
      Measured("\(name) at \($0) labels", missing: reason($0, of: wanted.count), unit: "%")
    }
    let table = MeasuredTable(
      rowTitle: "labels", rows: rows.map(\.0), columnTitle: "accuracy, %", columns: ["measured", "training"],
      values: rows.map(\.1), isMatrix: false)
    return found + [Measured("\(name) by labels", table)]
  }

  /// `logistic on mean`; with what differs from the defaults and could stand beside them in one recipe.
  private var name: String {
    let usual = Config()
    func differs<Value: Equatable>(_ setting: KeyPath<Config, Value>) -> Bool {
      config[keyPath: setting] != usual[keyPath: setting]
    }
    var parts = ["\(config.classifier.rawValue) on \(config.features.rawValue)"]
    if config.features == .pca, let components = config.components { parts[0] += " \(components)" }
    if !config.standardised { parts.append("unscaled") }
    switch config.classifier {
    case .logistic: if differs(\.c) { parts.append("c \(config.c)") }
    case .nearestNeighbours: if differs(\.neighbors) { parts.append("\(config.neighbors) neighbours") }
    case .mlp, .cnn:
      if differs(\.hidden) { parts.append("hidden \(config.hidden)") }
      if differs(\.epochs) { parts.append("\(config.epochs) epochs") }
      if differs(\.steps) { parts.append("\(config.steps) steps") }
      if differs(\.batch) { parts.append("batch \(config.batch)") }
      if differs(\.learningRate) { parts.append("rate \(config.learningRate)") }
    }
    if let seed = config.seed { parts.append("seed \(seed)") }
    return parts.joined(separator: ", ")
  }

  private var seed: UInt64 { config.seed.map(UInt64.init) ?? context.seed }

  // MARK: Examples

  /// The numbers of labels that can be had, in order, and the others. Where none can be, all that there are.
  private func sizes(_ evaluation: Evaluation) throws -> (sizes: [Int], missing: [Int], count: Int) {
    let count = try evaluation.training.withLabels().latents.size(0)
    guard count > 0 else { throw RecipeError.needsLabels(context.title) }
    let wanted = Set(config.labels).sorted()
    let possible = wanted.filter { $0 >= least && $0 <= count }
    if evaluation.isRehearsal { return ([min(wanted[0], count)], [], count) }
    return possible.isEmpty ? ([count], wanted, count) : (possible, wanted.filter { !possible.contains($0) }, count)
  }

  /// A label of each class, and as many as vote.
  private var least: Int { max(classCount, config.classifier == .nearestNeighbours ? config.neighbors : 0) }

  private func reason(_ size: Int, of count: Int) -> String {
    guard size <= count else { return "the training part has \(count) labelled examples" }
    return size < classCount ? "there are \(classCount) classes" : "\(config.neighbors) neighbours vote"
  }

  /// The examples of the greatest number in their order, and what makes features of inputs that are principal components.
  private func examples(
    _ count: Int, _ evaluation: Evaluation
  ) throws -> (examples: Labelled, order: [Int], project: (Tensor) throws -> Tensor) {
    let training = try evaluation.training
    let order = try LabelOrder(training, seed: seed).prefix(count)
    let labels = try training.labels?.to(.cpu).rows(order)
    guard let labels else { throw RecipeError.needsLabels(context.title) }
    if config.features == .mean {
      return (Labelled(features: try training.latents.to(.cpu).rows(order), labels: labels), order, { $0 })
    }
    // Where each chosen example stands in the order.
    let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    var generator = try Generator(seed: seed, for: "draws of probes", device: context.device)
    var (start, read, ranks, all) = (0, [Tensor](), [Int](), [Tensor]())
    try evaluation.forEachTrainingBatch { batch in
      let size = try batch.inputs.size(0)
      let here = (start..<(start + size)).filter { places[$0] != nil }
      if config.features == .pca { all.append(try reader.pixels(batch.inputs)) }
      if !here.isEmpty {
        let rows = try Tensor(here.map { Int64($0 - start) }).to(batch.inputs.device)
        let inputs = try batch.inputs.rows(rows)
        let code = { try evaluation.model.encode(Batch(inputs: inputs, labels: batch.labels?.rows(rows))) }
        read.append(try reader.read(inputs, code: code, using: &generator))
        ranks += here.compactMap { places[$0] }
      }
      start += size
    }
    // Back from the data's order.
    var back = Array(repeating: 0, count: ranks.count)
    for (position, rank) in ranks.enumerated() { back[rank] = position }
    let features = try Tensor.concatenate(read).rows(back)
    guard config.features == .pca else { return (Labelled(features: features, labels: labels), order, { $0 }) }
    let wanted = config.components ?? evaluation.model.encoder.latentSize
    let components = try PrincipalComponents(of: .concatenate(all), count: min(wanted, reader.pixelCount))
    return (Labelled(features: try components.project(features), labels: labels), order, components.project)
  }

  // MARK: Classifiers

  private func fit(_ examples: Labelled, isRehearsal: Bool) throws -> Fitted {
    let isImage = config.classifier == .cnn && reader.readsPixels
    let scaling = try config.standardised && !isImage ? Scaling(fittedOn: examples.features) : nil
    let scaled = try Labelled(features: scaling?(examples.features) ?? examples.features, labels: examples.labels)
    switch config.classifier {
    case .logistic:
      var search = LBFGS()
      if isRehearsal { search.iterations = 5 }
      let regression = try LogisticRegression(
        scaled.features, labels: scaled.labels, classes: classCount, c: config.c, search: search)
      let warning =
        regression.hasConverged || isRehearsal
        ? nil
        : "the logistic regression stopped after \(regression.iterations) iterations, short of its minimum; lower c, or "
          + "scale the features"
      return Fitted(scaling: scaling, warning: warning, classes: regression.classes)
    case .nearestNeighbours:
      let neighbors = try NearestNeighbors(
        scaled.features, labels: scaled.labels, classes: classCount,
        neighbors: min(config.neighbors, scaled.features.size(0)))
      return Fitted(scaling: scaling, classes: neighbors.classes)
    case .mlp, .cnn:
      let network = try ProbeNetwork(
        inputs: scaled.features.size(1), image: config.classifier == .cnn ? reader.imageShape : nil,
        hidden: config.hidden, classes: classCount, seed: seed, like: context)
      let steps = max(config.epochs * ((scaled.labels.count + config.batch - 1) / config.batch), config.steps)
      try network.train(
        scaled.features, scaled.labels, steps: isRehearsal ? 2 : steps, batchSize: config.batch,
        learningRate: config.learningRate)
      return Fitted(scaling: scaling, classes: network.classes)
    }
  }
}

extension SettingRange {
  /// Numbers of labels.
  fileprivate static let labelCounts = SettingRange.within(2...10_000_000).each(count: 1...32)
}

/// Features `[count, dimensions]` with labels `[count]`, on the CPU.
private struct Labelled {
  let features: Tensor
  let labels: Tensor

  func first(_ count: Int) throws -> Labelled {
    Labelled(features: try features.slice(0..<count), labels: try labels.slice(0..<count))
  }

  /// Returns the examples whose places are not among some; nil where none is left.
  func without(_ excluded: Set<Int>, among places: [Int]) throws -> Labelled? {
    let kept = places.indices.filter { !excluded.contains(places[$0]) }
    return kept.isEmpty ? nil : Labelled(features: try features.rows(kept), labels: try labels.rows(kept))
  }
}

/// A classifier that was trained.
private struct Fitted {
  let scaling: Scaling?
  var warning: String? = nil
  let classes: (Tensor) throws -> Tensor

  /// The accuracy in percent.
  func accuracy(on examples: Labelled) throws -> Double {
    let found = try classes(scaling?(examples.features) ?? examples.features)
    return 100 * (try (found .== examples.labels).to(.float64).mean().item())
  }
}

/// Features less their means and over their deviations (divisor n), those that do not vary left at 0.
private struct Scaling {
  private let mean: Tensor
  private let deviation: Tensor

  init(fittedOn features: Tensor) throws {
    let features = try features.to(.float64)
    mean = try features.mean(axis: 0)
    let spread = try features.variance(axes: [0], unbiased: false).sqrt()
    deviation = try spread + (spread .<= 1e-12).to(.float64)
  }

  func callAsFunction(_ features: Tensor) throws -> Tensor { try (features.to(.float64) - mean) / deviation }
}
