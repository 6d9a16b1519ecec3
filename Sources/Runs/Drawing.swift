import Datasets
import Figures
import Foundation
import LatentKit
import Statistics
import Recipes
import Reports
import Training

/// Latents drawn class by class, with what they decode to.
public struct Samples {
  /// The latents, `[count, latent]`, with the sampler's diagnostics and warnings.
  public let draw: Draw
  /// `[classes * perClass]`, Int64; nil without labels.
  public let labels: Tensor?
  /// Decoded, `[count] + inputShape`; nil where the model has no decoder.
  public let images: Tensor?
  /// Whether the labels mean something: the sampler followed them, or the decoder is conditioned on them.
  public let areOfClasses: Bool
}

extension Session {
  /// Draws `perClass` latents of each class (or that many rows of ten without labels) and decodes them.
  ///
  /// - Parameters:
  ///   - classes: Which classes, in this order; nil for all.
  ///   - reference: The latents that samplers learn from, those of the training part.
  /// - Throws: `RecipeError` for a class that the data do not have, and for a sampler whose draws are not finite.
  public func sample(
    classes: [Int]?, perClass: Int, reference: LatentSet, using generator: inout Generator
  ) throws -> Samples {
    let asked = classes ?? dataset.classCount.map { Array(0..<$0) }
    if let asked, let count = dataset.classCount, let bad = asked.first(where: { !(0..<count).contains($0) }) {
      throw RecipeError("class \(bad) is not in \(dataset.name), which has classes 0 to \(count - 1)")
    }
    let labels = try asked.map { classes in
      try Tensor(classes.flatMap { Array(repeating: Int64($0), count: perClass) }).to(device)
    }
    let request = DrawRequest(
      labels: labels, count: labels?.count ?? 10 * perClass, latentSize: composition.model.encoder.latentSize,
      prior: composition.model.prior, reference: reference)
    let draw = try withoutGradients { try composition.sampler.draw(request, using: &generator) }
    let expected = [request.count, request.latentSize]
    guard draw.latents.shape == expected else {
      throw RecipeError(
        "sampler '\(recipe[.sampler]?.use ?? "")' drew latents of shape \(draw.latents.shape), expected \(expected); this "
          + "is a defect of the sampler")
    }
    guard try draw.latents.isFinite().all() else {
      throw RecipeError(
        "sampler '\(recipe[.sampler]?.use ?? "")' drew numbers that are not finite; this is a defect of the sampler")
    }
    let images = try composition.model.decoder.map { _ in try evaluator.decode(draw.latents, labels: labels) }
    return Samples(
      draw: draw, labels: labels, images: images,
      areOfClasses: labels != nil && (draw.followsLabels || composition.model.decodesByClass))
  }

  /// A grid with one class per row where draws are of classes; nil where the model decodes no images.
  public func grid(_ samples: Samples, classes: [Int]?, perClass: Int, caption: String) throws -> ImageGrid? {
    guard let images = samples.images, images.rank == 4 else { return nil }
    let rows = classes ?? dataset.classCount.map { Array(0..<$0) }
    return try ImageGrid(
      images, range: training.inputRange ?? 0...1, columns: perClass,
      rowLabels: samples.areOfClasses ? rows?.map(className) ?? [] : [],
      caption: caption)
  }

  /// The first examples of a part, each class in turn, with their reconstructions; nil for rows of numbers, and without a
  /// decoder.
  public func reconstructionGrid(of data: BatchSource, count: Int, caption: String) throws -> ImageGrid? {
    guard composition.model.decoder != nil, data.inputShape.count == 3 else { return nil }
    let chosen = try data.examples.balanced(min(count, data.count), seed: recipe.randomSeed, for: "reconstruction")
    let few = try BatchSource(chosen, settings: data.settings, classCount: data.classCount, device: device)
    let batch = try few.batch(0..<few.count)
    let made = try evaluator.reconstruct(batch)
    return try ImageGrid.pairs(batch.inputs, made, range: data.inputRange ?? 0...1, caption: caption)
  }
}

extension Session {
  /// Euclidean distances between the class means of some latents; nil without labels, or with too many classes to read.
  public func classDistances(_ latents: LatentSet) throws -> HeatMap? {
    guard latents.labels != nil, let count = dataset.classCount, (2...40).contains(count) else { return nil }
    let means = try latents.classMeans(count)
    let names = (0..<count).map(className)
    return try HeatMap(
      means.distances(to: means), title: "Distances between class means, test part", rowLabels: names,
      columnLabels: names,
      decimals: count <= 12 ? 2 : nil)
  }
}

extension Session {
  /// Training and test latents in the plane in which the training latents vary most; nil without labels, with more classes
  /// than can be told apart, or for latents of one dimension. Latents whose label is hidden are a group of their own.
  public func latentScatter(training: LatentSet, test: LatentSet) throws -> [ScatterPlot]? {
    let size = composition.model.encoder.latentSize
    guard let count = dataset.classCount, (2...40).contains(count), size >= 2 else { return nil }
    let components = try PrincipalComponents(of: training.latents, count: 2)
    let axes = components.shares.enumerated().map { String(format: "component %d (%.0f %%)", $0 + 1, 100 * $1) }
    return try [("training", training), ("test", test)].compactMap { name, set in
      guard let labels = set.labels else { return nil }
      // As many as can be seen, whatever order they are in.
      let shown = try min(set.latents.size(0), 4000)
      var generator = try Generator(seed: recipe.randomSeed, for: "latents.png, \(name)")
      let chosen = try generator.permutation(set.latents.size(0)).slice(0..<shown)
      let places = try components.project(set.latents.rows(chosen.to(set.latents.device))).doubles()
      let classes = try labels.rows(chosen.to(labels.device)).ints()
      let isLabelled = try set.labelled?.rows(chosen.to(labels.device)).ints().map { $0 == 1 }
      func points(_ members: [Int]) -> [(x: Double, y: Double)] { members.map { (places[2 * $0], places[2 * $0 + 1]) } }
      var groups = (0..<count).map { label in
        ScatterPlot.Group(
          className(label), points(classes.indices.filter { classes[$0] == label && isLabelled?[$0] ?? true }))
      }
      if let isLabelled {
        let hidden = isLabelled.indices.filter { !isLabelled[$0] }
        groups.append(ScatterPlot.Group("no label", points(hidden), isBackground: true))
      }
      let some = try shown < set.latents.size(0) ? "\(shown) of " : ""
      return try ScatterPlot(
        title: "\(some)\(set.latents.size(0)) \(name) latents", xLabel: axes[0], yLabel: axes[1], groups: groups)
    }
  }
}

extension RunFolder {
  /// Loss curves of the epochs so far; false where there are none.
  public func drawCurves(to url: URL) throws -> Bool {
    let records = try MetricsLog.read(metrics)
    guard !records.isEmpty else { return false }
    func curve(_ name: String, _ values: (EpochRecord) -> Double?, _ held: (EpochRecord) -> Double?) -> LossCurves.Curve
    {
      func points(_ value: (EpochRecord) -> Double?) -> [(epoch: Double, value: Double)] {
        records.enumerated().compactMap { index, record in value(record).map { (Double(index + 1), $0) } }
      }
      return LossCurves.Curve(name, training: points(values), validation: points(held))
    }
    let names = Set(records.flatMap(\.training.keys)).sorted()
    let losses = names.map { name in curve(name, { $0.training[name] }, { $0.validation[name] }) }
    let metrics = Set(records.flatMap { $0.metrics.map(\.name) }).sorted().map { name in
      curve(name, { _ in nil }, { record in record.metrics.first { $0.name == name }?.value })
    }
    try LossCurves(
      total: losses.filter { $0.name.hasSuffix("total") }, terms: losses.filter { !$0.name.hasSuffix("total") },
      metrics: metrics
    ).write(to: url)
    return true
  }
}
