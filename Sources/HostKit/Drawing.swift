import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

/// Latents drawn class by class, with what they decode to.
struct DrawnSamples {
  let draw: Draw
  /// `[classes * perClass]`, Int64; nil without labels.
  let labels: Tensor?
  /// Decoded, `[count] + inputShape`; nil where the model has no decoder.
  let images: Tensor?
}

extension Session {
  /// Draws `perClass` latents of each class (or that many rows of ten without labels) and decodes them.
  func sample(
    classes: [Int]?, perClass: Int, reference: LatentSet, using generator: inout Generator
  ) throws -> DrawnSamples {
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
    guard try draw.latents.isFinite().all() else {
      throw RecipeError(
        "sampler '\(recipe.sampler?.use ?? "")' drew numbers that are not finite; this is a defect of the sampler")
    }
    let images = try composition.model.decoder.map { _ in try evaluator.decode(draw.latents, labels: labels) }
    return DrawnSamples(draw: draw, labels: labels, images: images)
  }

  /// A grid with one class per row.
  func grid(_ samples: DrawnSamples, classes: [Int]?, perClass: Int, caption: String) throws -> ImageGrid? {
    guard let images = samples.images, images.rank == 4 else { return nil }
    let rows = classes ?? dataset.classCount.map { Array(0..<$0) }
    return try ImageGrid(
      images, range: training.inputRange ?? 0...1, columns: perClass, rowLabels: rows?.map(className) ?? [],
      caption: caption)
  }

  /// The first examples of a part, each class in turn, with their reconstructions.
  func reconstructionGrid(of data: BatchSource, count: Int, caption: String) throws -> ImageGrid? {
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
  func classDistances(_ latents: LatentSet) throws -> HeatMap? {
    guard latents.labels != nil, let count = dataset.classCount, (2...40).contains(count) else { return nil }
    let means = try latents.classMeans(count)
    let names = (0..<count).map(className)
    return try HeatMap(
      means.distances(to: means), title: "distances between class means, test", rowLabels: names, columnLabels: names,
      decimals: count <= 12 ? 2 : nil)
  }
}

extension RunFolder {
  /// Loss curves of the epochs so far. A missing plotter costs the picture, not the run.
  func drawCurves() throws {
    let records = try MetricsLog.read(metrics)
    guard !records.isEmpty else { return }
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
    ).write(to: figure("curves.png"))
  }
}

/// Writes what training reports into TensorBoard's event file.
final class EventObserver: TrainingObserver {
  private let file: EventFile
  init(_ file: EventFile) { self.file = file }

  func progressed(_ progress: TrainingProgress) {}
  func note(_ sentence: String) {}

  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    for (name, value) in record.training.sorted(by: { $0.key < $1.key }) {
      file.scalar("training/\(name)", value, step: record.iteration)
    }
    for (name, value) in record.validation.sorted(by: { $0.key < $1.key }) {
      file.scalar("validation/\(name)", value, step: record.iteration)
    }
    for metric in record.metrics { file.scalar("validation/\(metric.name)", metric.value, step: record.iteration) }
    for (index, rate) in record.rates.enumerated() {
      file.scalar("rate/step \(index + 1)", rate, step: record.iteration)
    }
    do { try file.flush() } catch { warn("warning: \(error)") }
  }
}
