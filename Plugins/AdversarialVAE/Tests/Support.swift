import AdversarialVAE
import LatentKit

/// What a part is built in: images of 1x8x8 unless said otherwise, Float64.
func context(
  latent: Int = 3, classes: Int? = 4, shape: [Int] = [1, 8, 8], encoder: (any Encoder)? = nil, path: String = "part",
  store: ParameterStore = ParameterStore(), training: Bool = false, dtype: DType = .float64
) throws -> BuildContext {
  let scope = try Scope(path: path, store: store, seed: 1, dtype: dtype)
  scope.mode.isTraining = training
  return BuildContext(
    inputShape: shape, inputRange: 0...1, classCount: classes, latentSize: latent, scope: scope, title: "part 'tested'",
    encoder: encoder)
}

/// Gives the code it was made with, whatever it reads; hidden layers are `x`, `x²` and `sin x`.
struct ToyEncoder: FeatureEncoder {
  let code: Code
  var latentSize: Int { code.mean.shape[1] }
  func encode(_ batch: Batch) throws -> Code { code }
  func features(_ batch: Batch) throws -> [Tensor] {
    [batch.inputs, try batch.inputs.square(), try batch.inputs.sin()]
  }
}

/// Gives the mean brightness and twice that as the code of an image.
struct BrightnessEncoder: Encoder {
  var latentSize: Int { 2 }
  func encode(_ batch: Batch) throws -> Code {
    let brightness = try batch.inputs.flattened().mean(axis: 1, keep: true)
    return .point(try .concatenate([brightness, brightness * 2], axis: 1))
  }
}

/// Gives the images it was made with.
struct FixedDecoder: LatentKit.Decoder {
  let images: Tensor
  func decode(_ request: LatentBatch) throws -> Tensor { images }
}

/// Scores `w · x + b`.
struct LinearCritic: Discriminator {
  let weights: Tensor
  var bias = 0.0
  func score(_ batch: Batch) throws -> Tensor {
    try (batch.inputs.flattened() * weights).sum(axis: 1, keep: true) + bias
  }
}

/// Scores that are three times the first latent, minus the second, and zero.
struct ToyClassifier: Classifier {
  func scores(_ request: LatentBatch) throws -> Tensor {
    let (a, b) = (try request.latents.slice(0..<1, axis: 1), try request.latents.slice(1..<2, axis: 1))
    return try .concatenate([a * 3, -b, a * 0], axis: 1)
  }
}

/// A prior of which no loss here asks anything.
struct FlatPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

/// N(0, I).
struct NormalPrior: AnalyticPrior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents.square() + 1.8378770664093453).sum(axis: 1) * -0.5
  }
  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
    try (mean.square() + logVariance.exp() - logVariance - 1).sum(axis: 1) * 0.5
  }
}

/// Draws of a seed, Float64.
func draws(_ shape: [Int], seed: UInt64) throws -> Tensor {
  var generator = try Generator(seed: seed)
  return try generator.normal(shape, dtype: .float64)
}

/// A pass of inputs `x` whose reconstruction is `made`.
func pass(
  _ x: Tensor, made: Tensor, encoder: (any Encoder)? = nil, classifier: (any Classifier)? = nil,
  critic: (any Discriminator)? = nil, prior: any Prior = FlatPrior(), weights: Tensor? = nil, training: Bool = true
) throws -> Forward {
  let zeros = try Tensor.zeros([x.size(0), 2], dtype: .float64)
  var model = Model(
    encoder: encoder ?? ToyEncoder(code: .point(zeros)), decoder: FixedDecoder(images: made), classifier: classifier,
    prior: prior)
  model[.discriminator] = critic
  return Forward(
    Batch(inputs: x, labels: nil, weights: weights), through: model, training: training,
    drawing: RandomSource(try Generator(seed: 7)))
}

/// The values of a loss's terms by name. Those that are given per example reduce to them, checked by their mean.
func values(of loss: any Loss, _ pass: Forward) throws -> [String: Tensor] {
  try loss.terms(pass, under: pass.model.prior).reduce(into: [:]) { $0[$1.name] = try $1.value }
}

/// The only term of a loss.
func only(_ loss: any Loss, _ pass: Forward) throws -> Tensor {
  let terms = try loss.terms(pass, under: pass.model.prior)
  guard terms.count == 1 else { throw RecipeError("found \(terms.count) terms") }
  return try terms[0].value
}

/// Rows of a tensor as lists of numbers.
func rows(_ values: Tensor) throws -> [[Double]] {
  try (0..<values.size(0)).map { try values.select($0).contiguous().doubles() }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
