import Figures
import LatentKit
import Statistics

/// The plane in which latents are drawn: their own where they have two values, else that in which some of them vary most.
struct LatentPlane {
  /// The titles of the horizontal and of the vertical axis.
  let axes: (x: String, y: String)
  /// Nil for latents of two values.
  private let components: PrincipalComponents?

  /// - Parameter latents: Those that determine the plane, `[count, latent]`, with two values or more.
  init(of latents: Tensor) throws {
    guard try latents.size(1) > 2 else {
      (components, axes) = (nil, ("latent 1", "latent 2"))
      return
    }
    let components = try PrincipalComponents(of: latents, count: 2)
    let titles = components.shares.enumerated().map { String(format: "component %d (%.0f %%)", $0 + 1, 100 * $1) }
    (self.components, axes) = (components, (titles[0], titles[1]))
  }

  /// Returns the places of latents `[count, latent]`.
  func places(of latents: Tensor) throws -> [(x: Double, y: Double)] {
    let values = try (components?.project(latents) ?? latents.detached()).doubles()
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  /// Returns the centroids of a prior as a group of crosses; nil for a prior without.
  ///
  /// - Parameter classes: How many of them, the first ones.
  func centroids(of prior: any Prior, classes: Int) throws -> ScatterPlot.Group? {
    guard let prior = prior as? any CentroidPrior else { return nil }
    let centroids = try withoutGradients { try prior.centroids.slice(0..<classes) }
    return ScatterPlot.Group("centroids", try places(of: centroids), isMarker: true)
  }
}
