import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// Images of some epochs, kept in `watched.safetensors` of a run's folder as bytes: a strip with an epoch in each row.
///
/// A stage keeps its first epoch, its last and others evenly between them. An epoch that is trained again after a run was killed
/// replaces its images by the same bytes.
struct ImageStrip {
  /// The most epochs that are kept, over all stages.
  static let limit = 24

  /// The kinds of images: decoded samples, and reconstructions.
  enum Kind: String, CaseIterable { case samples, reconstructions }

  /// The epochs that are kept, of stages that train the decoder, in order.
  let epochs: [(stage: String, epoch: Int)]
  private let folder: RunFolder
  /// The images, `[count] + inputShape` UInt8, by `samples/STAGE/EPOCH`.
  private var images: [String: Tensor]

  /// Reads what a run has kept so far.
  ///
  /// - Throws: `FileError` if its file is damaged.
  init(of recipe: Recipe, in folder: RunFolder) throws {
    self.folder = folder
    let stages = (recipe.stages ?? []).filter(\.trainsDecoder)
    let share = max(ImageStrip.limit / max(stages.count, 1), 1)
    epochs = stages.flatMap { stage in
      let count = min(share, stage.epochs)
      return (0..<count).map { index in
        (stage.name, count == 1 ? stage.epochs : 1 + index * (stage.epochs - 1) / (count - 1))
      }
    }
    images =
      FileManager.default.fileExists(atPath: folder.watched.path) ? try Safetensors.read(folder.watched).tensors : [:]
  }

  private static func key(_ kind: Kind, _ stage: String, _ epoch: Int) -> String { "\(kind)/\(stage)/\(epoch)" }

  private static func bytes(_ images: Tensor, _ range: ClosedRange<Double>) throws -> Tensor {
    let level = try (images.detached() - range.lowerBound) * (255 / (range.upperBound - range.lowerBound))
    let bounded = try level.filled(with: 0, where: level.isNaN()).clamped(0, 255)
    return try (bounded + 0.5).to(.uint8).to(.cpu).contiguous()
  }

  /// Keeps images of an epoch, if it is one of those that are kept.
  ///
  /// - Parameters:
  ///   - images: `[count] + inputShape`.
  ///   - range: The values that become byte 0 and 255; values outside are clamped, NaN becomes 0.
  /// - Throws: `FileError` if the file cannot be written.
  mutating func keep(
    _ images: [(kind: Kind, images: Tensor)], range: ClosedRange<Double>, stage: String, epoch: Int
  ) throws {
    guard epochs.contains(where: { $0 == (stage, epoch) }) else { return }
    for (kind, images) in images {
      self.images[ImageStrip.key(kind, stage, epoch)] = try ImageStrip.bytes(images, range)
    }
    try Safetensors.write(self.images, to: folder.watched)
  }

  /// Returns the strip of one kind, an epoch in each row; nil where no epoch has been kept.
  ///
  /// - Parameter originals: Images for a row above, `[count] + inputShape`; nil for none.
  /// - Throws: `FigureError` as for an `ImageGrid`.
  func grid(
    _ kind: Kind, originals: Tensor? = nil, range: ClosedRange<Double>, caption: String
  ) throws -> ImageGrid? {
    let isOneStage = Set(epochs.map(\.stage)).count == 1
    var rows = epochs.compactMap { stage, epoch in
      images[ImageStrip.key(kind, stage, epoch)].map {
        (label: isOneStage ? "epoch \(epoch)" : "\(stage) \(epoch)", images: $0)
      }
    }
    guard let first = rows.first else { return nil }
    if let originals {
      rows.insert(("original", try ImageStrip.bytes(originals, range)), at: 0)
    }
    // What another program wrote may have other shapes.
    rows.removeAll { $0.images.shape != first.images.shape }
    return try ImageGrid(
      .concatenate(rows.map { try $0.images.to(.float32) }), range: 0...255, columns: first.images.size(0),
      rowLabels: rows.map(\.label), caption: caption)
  }
}

extension Recipe.Stage {
  /// Whether one of the steps trains the decoder.
  var trainsDecoder: Bool {
    func trains(_ steps: [Step]) -> Bool { steps.contains { $0.train.contains(Slot.decoder.name) || trains($0.steps) } }
    return trains(steps)
  }
}

extension ImageStrip.Kind {
  /// The kind at the beginning of a sentence.
  var title: String { self == .samples ? "Decoded samples" : "Reconstructions" }
  /// What stays the same from epoch to epoch.
  var origin: String { self == .samples ? "latent noise" : "test images" }
}

extension Session {
  /// Returns the strip of one kind; nil where a run has kept no images.
  func strip(of kind: ImageStrip.Kind, in folder: RunFolder, caption: String) throws -> ImageGrid? {
    guard FileManager.default.fileExists(atPath: folder.watched.path) else { return nil }
    let originals = kind == .reconstructions ? try WatchedImages(self)?.originals : nil
    return try ImageStrip(of: recipe, in: folder).grid(
      kind, originals: originals, range: training.inputRange ?? 0...1, caption: caption)
  }
}
