import LatentKit
import Testing
import __Name__

@Test func theCatalogTakesThePlugin() throws { _ = try Catalog([__Name__Plugin.self]) }

/// The context in which tests build parts: images of 1x4x4, Float64.
func context(latent: Int = 3, store: ParameterStore = ParameterStore()) throws -> BuildContext {
  BuildContext(
    inputShape: [1, 4, 4], inputRange: 0...1, classCount: 2, latentSize: latent,
    scope: try Scope(path: "part", store: store, seed: 1, dtype: .float64))
}

/// A training pass whose latents are given: its inputs are the same, and `decoder` makes the reconstructions of them.
func forward(
  _ latents: Tensor, labels: Tensor? = nil, decodedBy decoder: (any Decoder)? = nil, prior: any Prior = FlatPrior()
) throws -> Forward {
  Forward(
    Batch(inputs: latents, labels: labels), through: Model(encoder: Identity(), decoder: decoder, prior: prior),
    training: true, drawing: RandomSource(try Generator(seed: 1)))
}

/// An evaluation of one latent.
func evaluation() throws -> Evaluation {
  let latents = LatentSet(latents: try .zeros([1, 3]), labels: nil)
  return Evaluation(
    measured: latents, scores: nil, model: Model(encoder: Identity(), prior: FlatPrior()), classCount: nil,
    random: RandomSource(try Generator(seed: 1)), training: Evaluation.TrainingReference { latents })
}

/// Returns the inputs as latents.
struct Identity: Encoder {
  let latentSize = 3
  func encode(_ batch: Batch) -> Code { .point(batch.inputs) }
}

/// A prior that no test asks for its density.
struct FlatPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

/// The rows of a matrix.
func rows(_ matrix: Tensor) throws -> [[Double]] { try (0..<matrix.size(0)).map { try matrix.select($0).doubles() } }
