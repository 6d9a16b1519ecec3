import IntraClassVariance
import LatentKit

/// What a part is built in: images of 1x8x8, Float64.
func context(
  classes: Int? = 3, latent: Int = 4, seed: UInt64 = 1, shape: [Int] = [1, 8, 8], title: String = "part",
  store: ParameterStore = ParameterStore(), dtype: DType = .float64, model: Model? = nil,
  training: Bool = false
) throws -> BuildContext {
  let scope = try Scope(path: "part", store: store, seed: seed, dtype: dtype)
  scope.mode.isTraining = training
  return BuildContext(
    inputShape: shape, classCount: classes, latentSize: latent, scope: scope, title: title, model: model)
}

/// Gives the latents it was made with.
struct FixedEncoder: Encoder {
  let latents: Tensor
  var latentSize: Int { latents.shape[1] }
  func encode(_ batch: Batch) throws -> Code { .point(latents) }
}

/// Fixed centroids.
struct FixedCentroids: CentroidPrior {
  let centroids: Tensor
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

/// A prior without centroids.
struct FlatPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

/// A training pass with given latents and labels.
func forward(
  _ latents: Tensor, _ labels: Tensor?, labelled: Tensor? = nil, prior: any Prior, classifier: (any Classifier)? = nil
) throws -> Forward {
  let model = Model(encoder: FixedEncoder(latents: latents), classifier: classifier, prior: prior)
  return Forward(
    Batch(inputs: latents, labels: labels, labelled: labelled), through: model, training: true,
    drawing: RandomSource(try Generator(seed: 1)))
}

func rows(_ points: Tensor) throws -> [[Double]] {
  try (0..<points.size(0)).map { try points.select($0).doubles() }
}

/// The squared Euclidean distance.
func square(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
