import CSAE
import LatentKit
import Testing

/// What a part is built in: images of 1x6x5 in two values more or less, Float64.
func context(
  classes: Int? = 10, latent: Int = 40, seed: UInt64 = 1, shape: [Int] = [1, 6, 5], title: String = "prior 'pedcc'",
  store: ParameterStore = ParameterStore(), dtype: DType = .float64
) throws -> BuildContext {
  BuildContext(
    inputShape: shape, classCount: classes, latentSize: latent,
    scope: try Scope(path: "prior", store: store, seed: seed, dtype: dtype), title: title)
}

/// Gives the latents it was made with.
struct FixedEncoder: Encoder {
  let latents: Tensor
  var latentSize: Int { latents.shape[1] }
  init(_ latents: Tensor) { self.latents = latents }
  func encode(_ batch: Batch) throws -> Code { .point(latents) }
}

/// Gives the images it was made with.
struct FixedDecoder: LatentKit.Decoder {
  let images: Tensor
  init(_ images: Tensor) { self.images = images }
  func decode(_ request: LatentBatch) throws -> Tensor { images }
}

/// A prior without centroids.
struct FlatPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

/// The evaluation of given latents.
func evaluation(
  _ measured: LatentSet, _ prior: any Prior = FlatPrior(), classes: Int? = nil, training: LatentSet? = nil
) throws -> Evaluation {
  Evaluation(
    measured: measured, scores: nil, model: Model(encoder: FixedEncoder(measured.latents), prior: prior),
    classCount: classes, random: RandomSource(try Generator(seed: 1)),
    training: Evaluation.TrainingReference {
      guard let training else { throw RecipeError("the training part was not to be encoded") }
      return training
    })
}

/// Charges under the plugin's settings, but for what `change` says.
func charges(
  _ count: Int, dimensions: Int, using generator: inout Generator, _ change: (inout PEDCC.Config) -> Void = { _ in }
) throws -> EvenPoints.Charges {
  var config = PEDCC.Config()
  change(&config)
  return try EvenPoints.charges(count, dimensions: dimensions, config.motion, using: &generator)
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func rows(_ points: Tensor) throws -> [[Double]] {
  try (0..<points.size(0)).map { try points.select($0).doubles() }
}

/// Equations 1 and 2 by a double loop over the differences, as printed.
func tangentForces(_ u: [[Double]], epsilon: Double) -> [[Double]] {
  u.indices.map { i in
    var f = Array(repeating: 0.0, count: u[i].count)
    for j in u.indices where j != i {
      let l = zip(u[i], u[j]).map { $0 - $1 }
      let length = max(dot(l, l).squareRoot(), epsilon)
      f = zip(f, l).map { $0 + $1 / (length * length * length) }
    }
    let radial = dot(u[i], f)
    return zip(f, u[i]).map { $0 - radial * $1 }
  }
}

/// A training pass with given latents, reconstruction, inputs and labels.
func forward(
  latents: Tensor, reconstruction: Tensor, inputs: Tensor, labels: Tensor?, labelled: Tensor? = nil, prior: any Prior
) throws -> Forward {
  let model = Model(encoder: FixedEncoder(latents), decoder: FixedDecoder(reconstruction), prior: prior)
  return Forward(
    Batch(inputs: inputs, labels: labels, labelled: labelled), through: model, training: true,
    drawing: RandomSource(try Generator(seed: 1)))
}

/// The value of a loss's only term. Where it is given per example, `[batch]`, the examples reduce to it.
func onlyTerm(of loss: any Loss, _ pass: Forward, under prior: any Prior) throws -> Tensor {
  let terms = try loss.terms(pass, under: prior)
  #expect(terms.count == 1)
  let value = try terms[0].value
  if terms[0].isPerExample {
    let values = try terms[0].values()
    #expect(try values.shape == [pass.inputs.size(0)])
    #expect(try abs(values.mean().item() - value.item()) <= 1e-12 * max(1, abs(value.item())))
  }
  return value
}
