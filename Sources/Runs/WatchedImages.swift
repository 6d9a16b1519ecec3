import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

/// The images that `watch: true` looks at after each epoch: decoded samples of the same latent noise, and reconstructions of the
/// same test images.
///
/// The samples are cheap, and are not those of the run's sampler: noise `n` of one fixed draw becomes `m_c + s_c * n`, with mean
/// and standard deviation of each latent over the codes of a few fixed training examples of class `c`. Without labels they are
/// decoded draws of the prior if it can be drawn from, and of one such Gaussian if not.
struct WatchedImages {
  /// Images of each kind.
  static let count = 10
  /// Labelled training examples of each class whose codes are taken.
  static let perClass = 10

  private let session: Session
  /// The training examples whose codes are taken.
  let encoded: BatchSource
  private let reconstructed: Batch
  /// `[count, latent]`.
  let noise: Tensor
  /// The class of each sample; nil without labels.
  let classes: [Int]?

  /// - Returns: Nil without a decoder of images.
  init?(_ session: Session) throws {
    guard session.composition.model.decoder != nil, session.training.inputShape.count == 3 else { return nil }
    self.session = session
    let seed = session.recipe.randomSeed
    func few(_ examples: Examples, _ count: Int, of data: BatchSource, _ use: String) throws -> BatchSource {
      let chosen = try examples.balanced(min(count, examples.count), seed: seed, for: "watched \(use)")
      return try BatchSource(chosen, settings: data.settings, classCount: data.classCount, device: session.device)
    }
    let count = WatchedImages.count
    let tested = try few(session.test.examples, count, of: session.test, "reconstructions")
    reconstructed = try tested.batch(0..<tested.count)
    var examples = session.training.examples
    if let mask = examples.isLabelled { examples = try examples.subset(mask.nonzero().squeezed(1)) }
    let classCount = examples.labels == nil ? nil : session.training.classCount
    encoded = try few(examples, (classCount ?? count) * WatchedImages.perClass, of: session.training, "samples")
    var generator = try Generator(seed: seed, for: "watched noise", device: session.device)
    noise = try generator.normal([count, session.composition.model.encoder.latentSize])
    // The classes in turn, as far as the few examples have them.
    let present = classCount == nil ? nil : try encoded.examples.labels.map { Set(try $0.ints()).sorted() }
    classes = present.map { present in (0..<count).map { present[$0 % present.count] } }
  }

  /// The test images that are reconstructed, `[count] + inputShape`.
  var originals: Tensor { reconstructed.inputs }

  /// Returns the images of the weights as they are, each `[count] + inputShape`. Nothing of training changes.
  func images() throws -> (samples: Tensor, reconstructions: Tensor) {
    let labels = try classes.map { try Tensor($0.map(Int64.init)).to(session.device) }
    let samples = try session.evaluator.decode(latents(), labels: labels)
    return (samples, try session.evaluator.reconstruct(reconstructed))
  }

  private func latents() throws -> Tensor {
    if classes == nil, let prior = session.composition.model.prior as? any DirectPrior {
      var generator = try Generator(seed: session.recipe.randomSeed, for: "watched samples", device: session.device)
      let request = try DrawRequest(
        labels: nil, count: noise.size(0), latentSize: noise.size(1), prior: prior)
      return try withoutGradients { try prior.draw(request, using: &generator).latents }
    }
    let codes = try session.evaluator.encode(encoded)
    return try withoutGradients {
      guard let classes, let labels = codes.labels else { return try draw(codes.latents, noise) }
      return try .concatenate(
        classes.enumerated().map { row, label in
          let members = try codes.latents.rows((labels .== Double(label)).nonzero().squeezed(1))
          return try draw(members, noise.slice(row..<(row + 1)))
        })
    }
  }

  /// Returns noise scaled and moved to the mean and the deviation of codes.
  private func draw(_ codes: Tensor, _ noise: Tensor) throws -> Tensor {
    try codes.mean(axis: 0) + noise * codes.variance(axes: [0], unbiased: false).sqrt()
  }
}
