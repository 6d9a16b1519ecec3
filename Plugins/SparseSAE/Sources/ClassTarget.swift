import LatentKit
import Metrics

/// What the draws of one class follow.
struct ClassTarget {
  let request: ClassRequest
  /// Training latents of the class, `[points, latent]`, in random order: where chains start.
  let points: Tensor
  /// Nil for a class without spread, and where draws follow a prior.
  let density: KernelDensity?
}

/// How samplers estimate the densities of training latents.
struct EstimateSettings {
  var bandwidth: Bandwidth
  var shape: KernelShape
  /// Kernels of a class at most.
  var maximumPoints: Int?

  /// Kernel densities of the classes of a request: the prior's where it has such and may be used, else estimates of the
  /// training latents.
  func targets(
    _ requests: [ClassRequest], prior: (any Prior)?, using generator: inout Generator
  ) throws -> [ClassTarget] {
    let prior = prior as? KernelDensityPrior
    return try requests.map { request in
      let count = request.training.size(0)
      let order = try generator.permutation(count).slice(0..<min(count, maximumPoints ?? count))
      let points = try request.training.rows(order.to(request.training.device))
      if let prior {
        return ClassTarget(request: request, points: points, density: try prior.density(of: request.label))
      }
      let isPoint = try Moments(of: points).isPoint
      return ClassTarget(
        request: request, points: points,
        density: isPoint ? nil : try KernelDensity(of: points, bandwidth: bandwidth, shape: shape))
    }
  }
}

/// What is wrong with a bandwidth setting, as a check before anything is drawn.
func checkBandwidth(_ bandwidth: Bandwidth, _ title: String) throws {
  if case .factor(let factor) = bandwidth, !(factor > 0) {
    throw RecipeError(
      "\(title): bandwidth is \(factor), expected scott, silverman, cross-validated or a number above 0")
  }
}
