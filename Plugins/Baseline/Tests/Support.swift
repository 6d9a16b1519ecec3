import LatentKit
import Testing

/// A context on the CPU, in Float64 where gradients are checked.
func context(
  _ shape: [Int], latent: Int = 0, classes: Int? = nil, range: ClosedRange<Double>? = 0...1, padding: Int = 0,
  dtype: DType = .float32, seed: UInt64 = 1
) throws -> BuildContext {
  BuildContext(
    inputShape: shape, inputRange: range, padding: padding, classCount: classes, latentSize: latent,
    scope: try Scope(path: "part", seed: seed, dtype: dtype), title: "part 'x'")
}

/// A model whose encoder, decoder and classifier give fixed values.
struct Fixed: Encoder, LatentKit.Decoder, Classifier {
  var code: Code
  var made: Tensor
  var scores: Tensor?
  var latentSize: Int { code.mean.shape[1] }
  func encode(_ batch: Batch) -> Code { code }
  func decode(_ request: LatentBatch) -> Tensor { made }
  func scores(_ request: LatentBatch) throws -> Tensor { try #require(scores) }
}

/// A pass through fixed values.
func forward(
  _ batch: Batch, code: Code, made: Tensor, scores: Tensor? = nil, under prior: (any Prior)? = nil,
  training: Bool = true, seed: UInt64 = 3
) throws -> Forward {
  let fixed = Fixed(code: code, made: made, scores: scores)
  let model = Model(
    encoder: fixed, decoder: fixed, classifier: scores == nil ? nil : fixed, prior: prior ?? Flat())
  return Forward(batch, through: model, training: training, drawing: RandomSource(try Generator(seed: seed)))
}

/// A prior that says nothing.
struct Flat: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
}

/// The evaluation of given latents.
func evaluation(
  _ measured: LatentSet, scores: Tensor? = nil, prior: any Prior = Flat(), classes: Int? = nil, names: [String]? = nil,
  training: LatentSet? = nil
) throws -> Evaluation {
  let fixed = Fixed(code: .point(measured.latents), made: measured.latents)
  return Evaluation(
    measured: measured, scores: scores, model: Model(encoder: fixed, prior: prior), classCount: classes,
    classNames: names, random: RandomSource(try Generator(seed: 1)),
    training: Evaluation.TrainingReference {
      guard let training else { throw RecipeError("the training part was not to be encoded") }
      return training
    })
}
