import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Reports
import Training

/// Latents drawn class by class, and their decoded examples.
public struct Samples {
  /// The latents, `[count, latent]`, with the sampler's diagnostics and warnings.
  public let draw: Draw
  /// The requested class of each draw, `[count]`, Int64; nil without labels.
  public let labels: Tensor?
  /// The decoded draws, `[count] + inputShape`; nil if the model has no decoder.
  public let images: Tensor?
  /// Whether the labels apply: the sampler followed them, or the decoder is conditioned on the class.
  public let areOfClasses: Bool
}

extension Session {
  /// Draws `perClass` latents of each class (without labels, ten times as many in all) and decodes them.
  ///
  /// - Parameters:
  ///   - classes: The classes, in this order; nil for all.
  ///   - perClass: Draws of each class.
  ///   - reference: The latents that samplers are fitted to, those of the training part.
  /// - Throws: `RecipeError` for no classes or no draws, for an unknown class, and for a sampler whose draws have a wrong shape
  ///   or are not finite.
  public func sample(
    classes: [Int]?, perClass: Int, reference: LatentSet, using generator: inout Generator
  ) throws -> Samples {
    guard perClass > 0, classes?.isEmpty != true else {
      throw RecipeError(
        "asked for \(perClass) draws of each of \(classes.map { "\($0.count)" } ?? "all") classes, expected 1 or more of 1 or more"
      )
    }
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
    let draw = try withoutGradients {
      try composition.draw(request, using: &generator) { changedNumbers(.sampler, .prior) }
    }
    let images = try composition.model.decoder.map { _ in try evaluator.decode(draw.latents, labels: labels) }
    return Samples(
      draw: draw, labels: labels, images: images,
      areOfClasses: labels != nil && (draw.followsLabels || composition.model.decodesByClass))
  }

  /// Numbers of parts that differ from their defaults, and what to do about them: for draws that are not finite.
  private func changedNumbers(_ slots: Slot...) -> String {
    let changed = slots.flatMap { slot -> [String] in
      guard let choice = recipe[slot], let part = try? catalog.description(of: slot, choice.use) else { return [] }
      return part.settings.compactMap { setting in
        guard let value = choice.with[setting.name], value != setting.fallback else { return nil }
        switch value {
        case .int, .double: return "\(slot.name).\(setting.name)=\(value.text)"
        default: return nil
        }
      }
    }
    return changed.isEmpty
      ? "; this is a defect of the sampler"
      : " with \(changed.joined(separator: ", ")); set what is out of proportion back"
  }

  /// Returns a grid, with a class per row if draws are of classes; nil if the model decodes no images.
  ///
  /// - Throws: `FigureError` as for an `ImageGrid`.
  public func grid(_ samples: Samples, classes: [Int]?, perClass: Int, caption: String) throws -> ImageGrid? {
    guard let images = samples.images, images.rank == 4 else { return nil }
    let rows = classes ?? dataset.classCount.map { Array(0..<$0) }
    return try ImageGrid(
      images, range: training.inputRange ?? 0...1, columns: perClass,
      rowLabels: samples.areOfClasses ? rows?.map(className) ?? [] : [],
      caption: caption)
  }

  /// Returns a grid of the first examples of a part, each class in turn, with their reconstructions; nil for tables, and
  /// without a decoder.
  ///
  /// - Throws: `FigureError` as for an `ImageGrid`.
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
  /// Returns plots of training and test latents in the plane of the training latents' first two principal components; latents of
  /// two dimensions are plotted as they are.
  ///
  /// Latents whose label is hidden are a group of their own. Of more than 5,000 latents a random choice is shown.
  ///
  /// - Returns: Nil without labels, unless there are 2 to 40 classes, and for latents of one dimension.
  public func latentScatter(training: LatentSet, test: LatentSet) throws -> [ScatterPlot]? {
    let size = composition.model.encoder.latentSize
    guard let count = dataset.classCount, (2...40).contains(count), size >= 2 else { return nil }
    let plane = try LatentPlane(of: training.latents)
    let centroids = try plane.centroids(of: composition.model.prior, classes: count)
    return try [("training", training), ("test", test)].compactMap { name, set in
      guard let labels = set.labels else { return nil }
      // A random choice, since examples may be sorted by class.
      let shown = try min(set.latents.size(0), 5000)
      var generator = try Generator(seed: recipe.randomSeed, for: "latents.png, \(name)")
      let chosen = try generator.permutation(set.latents.size(0)).slice(0..<shown)
      let places = try plane.places(of: set.latents.rows(chosen.to(set.latents.device)))
      let classes = try labels.rows(chosen.to(labels.device)).ints()
      let isLabelled = try set.labelled?.rows(chosen.to(labels.device)).ints().map { $0 == 1 }
      func points(_ members: [Int]) -> [(x: Double, y: Double)] { members.map { places[$0] } }
      var groups = (0..<count).map { label in
        ScatterPlot.Group(
          className(label), points(classes.indices.filter { classes[$0] == label && isLabelled?[$0] ?? true }))
      }
      if let isLabelled {
        let hidden = isLabelled.indices.filter { !isLabelled[$0] }
        groups.append(ScatterPlot.Group("no label", points(hidden), isBackground: true))
      }
      if let centroids { groups.append(centroids) }
      let some = try shown < set.latents.size(0) ? "\(shown) of " : ""
      return try ScatterPlot(
        title: "\(some)\(set.latents.size(0)) \(name) latents", xLabel: plane.axes.x, yLabel: plane.axes.y,
        groups: groups)
    }
  }
}

extension LossCurves {
  /// The losses and metrics of epochs; nil where there are none.
  init?(of records: [EpochRecord]) {
    guard !records.isEmpty else { return nil }
    func curve(_ name: String, _ values: (EpochRecord) -> Double?, _ held: (EpochRecord) -> Double?) -> Curve {
      func points(_ value: (EpochRecord) -> Double?) -> [(epoch: Double, value: Double)] {
        records.enumerated().compactMap { index, record in value(record).map { (Double(index + 1), $0) } }
      }
      return Curve(name, training: points(values), validation: points(held))
    }
    let names = Set(records.flatMap(\.training.keys)).sorted()
    let losses = names.map { name in curve(name, { $0.training[name] }, { $0.validation[name] }) }
    let metrics = Set(records.flatMap { $0.metrics.map(\.name) }).sorted().map { name in
      curve(name, { _ in nil }, { record in record.metrics.first { $0.name == name }?.value })
    }
    self.init(
      total: losses.filter { $0.name.hasSuffix("total") }, terms: losses.filter { !$0.name.hasSuffix("total") },
      metrics: metrics)
  }
}
