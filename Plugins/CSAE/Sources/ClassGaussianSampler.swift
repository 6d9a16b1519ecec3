import LatentKit
import Statistics

/// Draws from `N(m_y, Σ_y)`, the mean and full covariance of each class's training latents (Zhu & Zhang 2019, section 4.2).
///
/// Where a class has fewer latents than dimensions, `Σ_y` is singular, and draws stay in the span of its latents. A class
/// with one latent has no spread: its draws repeat it, with a warning. Without labels, one Gaussian for everything.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents.
public struct ClassGaussianSampler: EstimatingSampler, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let requests = try request.byClass(for: "class-gaussian", using: &generator)
    var points: [ClassRequest] = []
    let draws = try requests.map { request in
      let moments = try Moments(of: request.training)
      if try moments.isPoint { points.append(request) }
      let noise = try generator.normal([request.count, request.training.size(1)]).to(.float64, .cpu)
      return try (moments.mean + noise.matmul(root(of: moments.covariance).transposed()))
        .to(request.training.dtype, request.training.device)
    }
    let warnings = points.isEmpty ? [] : [warning(aboutPoints: points)]
    return Draw(
      latents: try ClassRequest.merge(draws, of: requests), followsLabels: request.labels != nil, warnings: warnings)
  }

  private func warning(aboutPoints points: [ClassRequest]) -> String {
    let others = points.count > 1 ? ", and \(points.count - 1) more like it" : ""
    return
      "\(points[0].name)\(others): the training latents have no spread, so that draws repeat one point; give more examples"
  }

  /// A matrix `R` with `R Rᵀ = Σ`, by eigenvectors: unlike Cholesky's, it exists for a singular `Σ` too.
  private func root(of covariance: Tensor) throws -> Tensor {
    let (values, vectors) = try covariance.symmetricEigen()
    return try vectors * values.clamped(0).sqrt()
  }
}
