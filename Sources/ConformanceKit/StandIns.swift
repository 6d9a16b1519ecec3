import Foundation
import LatentKit

/// A model of the smallest parts of each role, for checks of parts that need others beside them.
///
/// Its functions are smooth, so that differences tell gradients.
struct StandIn {
  /// How inputs are encoded, and which prior there is.
  enum Kind: CaseIterable { case pointsAndCentroids, gaussiansAndNormal }

  let model: Model
  let store: ParameterStore

  init(_ world: World, _ kind: Kind, seed: UInt64, dtype: DType = .float32, device: Device = .cpu) throws {
    let store = ParameterStore()
    func scope(_ name: String) throws -> Scope {
      try Scope(path: name, store: store, seed: seed, device: device, dtype: dtype)
    }
    let encoder = try StandInEncoder(world, isGaussian: kind == .gaussiansAndNormal, in: scope("encoder"))
    let prior: any Prior =
      kind == .pointsAndCentroids && world.classCount != nil
      ? try StandInCentroids(world, in: scope("prior")) : StandInNormal()
    var model = Model(
      encoder: encoder, decoder: try StandInDecoder(world, in: scope("decoder")),
      classifier: try world.classCount.map {
        StandInClassifier(layer: try Linear(world.latentSize, $0, in: scope("classifier")))
      }, prior: prior)
    model[.discriminator] = try StandInDiscriminator(world, in: scope("discriminator"))
    model.likelihood = StandInLikelihood()
    (self.model, self.store) = (model, store)
  }
}

/// Three linear layers with `tanh`, then one for means and one for log variances.
private struct StandInEncoder: FeatureEncoder {
  let latentSize: Int
  let hidden: [Linear]
  let mean: Linear
  let logVariance: Linear?

  init(_ world: World, isGaussian: Bool, in scope: Scope) throws {
    latentSize = world.latentSize
    hidden = try [world.inputShape.reduce(1, *), 5, 5].enumerated().map {
      try Linear($1, 5, in: scope("hidden")("\($0)"))
    }
    mean = try Linear(5, latentSize, in: scope("mean"))
    logVariance = isGaussian ? try Linear(5, latentSize, in: scope("logVariance")) : nil
  }

  func features(_ batch: Batch) throws -> [Tensor] {
    var values = try batch.inputs.contiguous().flattened()
    return try hidden.map { layer in
      values = try layer(values).tanh()
      return values
    }
  }

  func encode(_ batch: Batch) throws -> Code {
    let features = try features(batch)[2]
    guard let logVariance else { return .point(try mean(features)) }
    return .gaussian(mean: try mean(features), logVariance: try logVariance(features))
  }
}

/// A linear layer into the range of the inputs.
private struct StandInDecoder: LatentKit.Decoder {
  let layer: Linear
  let world: World

  init(_ world: World, in scope: Scope) throws {
    layer = try Linear(world.latentSize, world.inputShape.reduce(1, *), in: scope("layer"))
    self.world = world
  }

  func decode(_ request: LatentBatch) throws -> Tensor {
    let values = try layer(request.latents).reshaped([request.latents.size(0)] + world.inputShape)
    guard let range = world.inputRange else { return values }
    return try values.sigmoid() * (range.upperBound - range.lowerBound) + range.lowerBound
  }
}

private struct StandInClassifier: Classifier {
  let layer: Linear
  func scores(_ request: LatentBatch) throws -> Tensor { try layer(request.latents) }
}

private struct StandInDiscriminator: Discriminator {
  let hidden: Linear
  let score: Linear

  init(_ world: World, in scope: Scope) throws {
    hidden = try Linear(world.inputShape.reduce(1, *), 3, in: scope("hidden"))
    score = try Linear(3, 1, in: scope("score"))
  }

  func score(_ batch: Batch) throws -> Tensor {
    try score(hidden(batch.inputs.contiguous().flattened()).tanh())
  }
}

/// A unit Gaussian around what the decoder makes.
private struct StandInLikelihood: Likelihood {
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.perExample("stand-in", try logLikelihood(of: forward.inputs, given: forward.decoded) * -1)]
  }
  func observations(of inputs: Tensor, using random: RandomSource) throws -> Tensor { inputs }
  func logLikelihood(of observations: Tensor, given decoded: Decoded) throws -> Tensor {
    try ((decoded.values - observations).square() + log2π).contiguous().flattened().sum(axis: 1) * -0.5
  }
}

/// A unit Gaussian around a point for each class.
struct StandInCentroids: CentroidPrior, DirectPrior {
  let centroids: Tensor

  init(_ world: World, in scope: Scope) throws {
    var generator = try Generator(seed: scope.seed, for: "centroids of checks")
    centroids = try scope.buffer("centroids", generator.normal([world.classCount ?? 1, world.latentSize]) * 2)
  }

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let squares = try (latents.unsqueezed(1) - centroids.unsqueezed(0)).square().sum(axis: 2) * -0.5
    let peak = -0.5 * Double(try latents.size(1)) * log(2 * Double.pi)
    guard let labels else { return try squares.logSumExp(axis: 1) + (peak - log(Double(centroids.size(0)))) }
    return try squares.gathered(labels.unsqueezed(1), axis: 1).squeezed(1) + peak
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let labels = try request.labels ?? generator.integers(0..<centroids.size(0), [request.count])
    let noise = try generator.normal([request.count, centroids.size(1)], dtype: centroids.dtype)
    return Draw(latents: try centroids.rows(labels) + noise, followsLabels: request.labels != nil)
  }
}

/// The standard normal prior.
struct StandInNormal: AnalyticPrior, DirectPrior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try latents.square().sum(axis: 1) * -0.5 - 0.5 * Double(latents.size(1)) * log(2 * Double.pi)
  }

  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
    try (mean.square() + logVariance.exp() - logVariance - 1).sum(axis: 1) * 0.5
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    Draw(latents: try generator.normal([request.count, request.latentSize]), followsLabels: false)
  }
}
