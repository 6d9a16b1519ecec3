import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

/// The latents of one run after each epoch whose checkpoint it kept (`keepEpochs`), and at its end.
///
/// Latents of two values are drawn as they are; longer ones in the plane in which those at the end vary most. The centroids of a
/// prior that has some are a group of their own.
public struct LatentHistory {
  /// The panels in order of time.
  public let panels: [ScatterPlot]
  /// The epochs of the panels, counted from 1 over all stages.
  public let epochs: [Int]

  /// Opens the checkpoints of a run in turn and encodes a part of its data.
  ///
  /// - Parameters:
  ///   - folder: The run's folder.
  ///   - part: The part of the data; at most 4,000 examples of it are drawn, the same in every panel.
  /// - Throws: As `Session.init(opening:)`, and `RecipeError` for latents of one value, data without labels, and more than 40
  ///   classes.
  public init(
    opening folder: URL, catalog: Catalog, machine: Machine = Machine(), part: DataPart = .train,
    observer: (any RunObserver)? = nil
  ) throws {
    let run = RunFolder(folder)
    let last = try Session(opening: folder, catalog: catalog, machine: machine, observer: observer)
    let size = last.composition.model.encoder.latentSize
    guard size >= 2, let classes = last.dataset.classCount, classes <= 40 else {
      throw RecipeError(
        "\(folder.relativePath) has latents of \(size) values and \(last.dataset.classCount.map(String.init) ?? "no") classes, "
          + "expected 2 values or more and up to 40 classes to draw")
    }
    var places: [(epoch: Int, checkpoint: URL?)] = []
    let position = try Checkpoint.read(run.checkpoint).position
    var (before, end) = (0, 0)
    for (index, stage) in (last.recipe.stages ?? []).enumerated() where index <= position.stage {
      places += stage.keepEpochs.map { (before + $0, run.checkpoint(of: stage.name, epoch: $0)) }
      let done = index < position.stage ? position.epochs(of: stage) : position.epoch
      // A stage with a stop leaves the weights of its best epoch.
      end = before + (position.stops?.first { $0.stage == stage.name }?.epoch ?? done)
      before += done
    }
    // What the last checkpoint holds is not drawn twice; one inside an epoch is none of those that were kept.
    let isInside = position.iteration > 0
    places = places.filter {
      (isInside || $0.epoch != end) && FileManager.default.fileExists(atPath: $0.checkpoint!.path)
    }
    places.append((end, nil))

    let count = try last.part(part).count
    var generator = try Generator(seed: last.recipe.randomSeed, for: "latents over epochs")
    let chosen = try generator.permutation(count).slice(0..<min(count, 4000)).sorted(axis: 0).values
    let whole = try last.part(part)
    let source = try BatchSource(
      whole.examples.subset(chosen), settings: whole.settings, classCount: whole.classCount, device: last.device)
    let plane = try LatentPlane(of: last.evaluator.encode(source).latents)
    epochs = places.map(\.epoch)
    panels = try places.map { place in
      let session =
        try place.checkpoint.map {
          try Session(opening: folder, catalog: catalog, machine: machine, checkpoint: $0)
        } ?? last
      let set = try session.evaluator.encode(source).withLabels()
      guard let labels = try set.labels?.ints() else {
        throw RecipeError("\(folder.relativePath) has data without labels, whose latents have no classes to draw")
      }
      let points = try plane.places(of: set.latents)
      var groups = (0..<classes).map { label in
        ScatterPlot.Group(
          session.className(label), labels.indices.filter { labels[$0] == label }.map { points[$0] })
      }
      if let centroids = try plane.centroids(of: session.composition.model.prior, classes: classes) {
        groups.append(centroids)
      }
      return ScatterPlot(
        title: place.checkpoint == nil && isInside ? "in epoch \(place.epoch + 1)" : "epoch \(place.epoch)",
        xLabel: plane.axes.x, yLabel: plane.axes.y, groups: groups)
    }
  }
}
