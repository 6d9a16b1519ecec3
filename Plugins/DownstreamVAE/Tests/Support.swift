import DownstreamVAE
import LatentKit

/// What a part is built in.
func context(
  classes: Int? = 3, latent: Int = 4, seed: UInt64 = 1, shape: [Int] = [1, 8, 8], range: ClosedRange<Double>? = 0...1,
  title: String = "part", store: ParameterStore = ParameterStore(), dtype: DType = .float64,
  encoder: (any Encoder)? = nil
) throws -> BuildContext {
  BuildContext(
    inputShape: shape, inputRange: range, classCount: classes, latentSize: latent,
    scope: try Scope(path: "part", store: store, seed: seed, dtype: dtype), title: title, encoder: encoder)
}

/// A linear code of inputs `[batch, features]`: `z = x A + b` with one log variance.
struct LinearEncoder: Encoder {
  let matrix: Tensor
  let offset: Tensor
  let logVariance: Double?
  var latentSize: Int { matrix.shape[1] }

  func encode(_ batch: Batch) throws -> Code {
    let mean = try batch.inputs.matmul(matrix) + offset
    guard let logVariance else { return .point(mean) }
    return .gaussian(mean: mean, logVariance: try mean.filled(with: logVariance))
  }
}

/// `x = z W + b`.
struct LinearDecoder: LatentKit.Decoder {
  let matrix: Tensor
  let offset: Tensor
  func decode(_ request: LatentBatch) throws -> Tensor { try request.latents.matmul(matrix) + offset }
}

/// Gives fixed values, before a sigmoid.
struct FixedLogits: ActivatedDecoder {
  let logits: Tensor
  let output = OutputFunction.sigmoid
  func preactivations(_ request: LatentBatch) throws -> Tensor { logits }
}

/// Gives fixed values.
struct FixedDecoder: LatentKit.Decoder {
  let values: Tensor
  func decode(_ request: LatentBatch) throws -> Tensor { values }
}

/// Gives the latents it was made with.
struct FixedEncoder: Encoder {
  let code: Code
  var latentSize: Int { code.mean.shape[1] }
  func encode(_ batch: Batch) throws -> Code { code }
}

/// The standard normal prior.
struct Normal: AnalyticPrior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents.square() + log2π).sum(axis: 1) * -0.5
  }
  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
    try (mean.square() + logVariance.exp() - logVariance - 1).sum(axis: 1) * 0.5
  }
}

func rows(_ points: Tensor) throws -> [[Double]] {
  try (0..<points.size(0)).map { try points.select($0).contiguous().flattened(from: 0).doubles() }
}

/// A pass through a model, as training makes it unless said.
func forward(_ batch: Batch, _ model: Model, training: Bool = true, seed: UInt64 = 1) throws -> Forward {
  Forward(batch, through: model, training: training, drawing: RandomSource(try Generator(seed: seed)))
}

/// The values of a loss's first term.
func values(_ loss: any Loss, _ inputs: Tensor, decodedBy decoder: any LatentKit.Decoder) throws -> Tensor {
  let latents = try Tensor.zeros([inputs.size(0), 2], dtype: inputs.dtype)
  let model = Model(encoder: FixedEncoder(code: .point(latents)), decoder: decoder, prior: Normal())
  return try loss.terms(forward(Batch(inputs: inputs, labels: nil), model), under: Normal())[0].values()
}
