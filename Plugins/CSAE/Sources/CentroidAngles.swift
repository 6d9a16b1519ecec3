import LatentKit
import Statistics

/// How evenly the prior's centroids are spread: the least and the mean angle between two of them, and their energy.
///
/// Where charges placed the centroids, how many iterations that took and how far the fastest of them still moved in the
/// last one: centroids that have not come to rest need more `prior.iterations`.
///
/// - Throws: `RecipeError` where the prior has no centroids, or only one.
public struct CentroidAngles: Metric, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    guard let prior = evaluation.prior as? any CentroidPrior, try prior.centroids.size(0) > 1 else {
      throw RecipeError(
        """
        metric 'centroid-angles' needs a prior with two or more centroids, and \(type(of: evaluation.prior)) has not; set \
        prior to pedcc, or drop the metric
        """)
    }
    let spread = try AngularSpread(of: prior.centroids)
    let found = [
      Measured("minimum centroid angle", spread.minimumAngle, unit: "degrees"),
      Measured("mean centroid angle", spread.meanAngle, unit: "degrees"),
      Measured("centroid energy", spread.energy),
    ]
    guard let report = (prior as? PEDCC)?.report else { return found }
    return found + [
      Measured("centroid iterations", Double(report.iterations)),
      Measured("centroid movement", report.movement),
      Measured("centroids at rest", report.hasConverged ? 1 : 0),
    ]
  }
}
