import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// A trained run that reconstructs images of any data of its size.
///
/// All runs share one scale, brightness from 0 to 1 of the image without padding, so that a run with inputs from −1 to 1
/// padded to 32x32 compares with one from 0 to 1.
public struct Reconstructor {
  /// The name of the run in pictures and tables.
  public let name: String
  /// The run's data and model.
  public let session: Session

  /// Opens a trained run.
  ///
  /// - Parameter checkpoint: The weights, one that `keepEpochs` kept; nil for the last.
  /// - Throws: As `Session.init(opening:)`, and `RecipeError` if the run does not reconstruct images.
  public init(
    opening folder: URL, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    checkpoint: URL? = nil
  ) throws {
    let session = try Session(
      opening: folder, catalog: catalog, machine: machine, observer: observer, checkpoint: checkpoint)
    try self.init(session, named: RunFolder(folder).name)
  }

  /// Wraps a session under a name.
  ///
  /// - Throws: `RecipeError` if the model does not reconstruct images.
  public init(_ session: Session, named name: String) throws {
    (self.session, self.name) = (session, name)
    guard session.training.examples.areImages else {
      throw RecipeError(
        "run '\(name)' reads rows of numbers, and only images can be drawn; name a run on images, or 'host evaluate' it"
      )
    }
    guard session.composition.model.decoder != nil else {
      throw RecipeError("run '\(name)' has no decoder, so it reconstructs nothing; name a run with a decoder")
    }
  }

  /// The shape of an image, `[channels, height, width]`, without padding.
  public var imageShape: [Int] { session.training.examples.inputShape }

  /// Whether the decoder is conditioned on the class.
  public var isConditional: Bool { session.composition.model.decodesByClass }

  /// Checks that images have the size that the run reads.
  ///
  /// - Parameters:
  ///   - shape: `[channels, height, width]`, without padding.
  ///   - data: The name of the data in the error.
  /// - Throws: `RecipeError` if they have another size.
  public func require(_ shape: [Int], of data: String) throws {
    guard shape == imageShape else {
      throw RecipeError(
        "run '\(name)' reads images of \(imageShape), and \(data) has \(shape); name data or runs of the same size")
    }
  }

  /// Images and their reconstructions.
  public struct Result {
    /// `[count, channels, height, width]`, from 0 to 1.
    public let originals: Tensor
    /// The same shape. Values beyond 0 and 1 are kept.
    public let reconstructions: Tensor
    /// The squared difference, averaged over pixels and images.
    public let error: Double
  }

  /// Reconstructs images without noise or draws.
  ///
  /// A decoder that is conditioned on the class gets the labels if these are the run's own classes. For other classes, each
  /// image gets the reconstruction of least error among those under all labels. That is the best that such a model can do,
  /// and better than it could do without knowing the image.
  ///
  /// - Parameters:
  ///   - examples: Images of `imageShape`.
  ///   - ownClasses: Whether the labels are the run's classes.
  public func reconstruct(_ examples: Examples, ownClasses: Bool) throws -> Result {
    var settings = session.settings
    settings.limit = nil
    let source = try BatchSource(
      examples, settings: settings, classCount: session.dataset.classCount, device: session.device)
    let evaluator = session.evaluator
    let latents = try evaluator.encode(source).latents
    var (originals, reconstructions): ([Tensor], [Tensor]) = ([], [])
    var sum = 0.0
    for start in stride(from: 0, to: source.count, by: evaluator.batchSize) {
      let range = start..<min(start + evaluator.batchSize, source.count)
      let batch = try source.batch(range)
      let original = try session.brightness(of: batch.inputs)
      func decoded(as labels: Tensor?) throws -> Tensor {
        try session.brightness(of: evaluator.decode(latents.slice(range), labels: labels))
      }
      let (made, errors) =
        if isConditional, !ownClasses {
          try best(of: original) { label in try decoded(as: Tensor.full([range.count], label, dtype: .int64)) }
        } else {
          try measured(decoded(as: batch.labels), against: original)
        }
      originals.append(original)
      reconstructions.append(made)
      sum += try errors.sum().item()
    }
    return try Result(
      originals: .concatenate(originals), reconstructions: .concatenate(reconstructions),
      error: sum / Double(source.count))
  }

  /// The reconstruction of each image under the class label of least error, and that error.
  private func best(
    of originals: Tensor, _ decode: (Double) throws -> Tensor
  ) throws -> (images: Tensor, errors: Tensor) {
    var (images, errors) = try measured(decode(0), against: originals)
    for label in 1..<max(session.dataset.classCount ?? 1, 1) {
      let other = try measured(decode(Double(label)), against: originals)
      let isBetter = try other.errors .< errors
      images = try isBetter.reshaped([-1, 1, 1, 1]).choose(other.images, images)
      errors = try isBetter.choose(other.errors, errors)
    }
    return (images, errors)
  }

  /// Images with the mean squared error of each, `[count]` Float64.
  private func measured(_ images: Tensor, against originals: Tensor) throws -> (images: Tensor, errors: Tensor) {
    (images, try (images - originals).to(.float64).square().mean(axes: [1, 2, 3]))
  }
}
