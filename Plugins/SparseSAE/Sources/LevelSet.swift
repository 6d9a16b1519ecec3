import Foundation
import LatentKit
import Statistics

/// Where the densities of some classes are not under a threshold, for walks that fill it.
struct LevelSet {
  /// The log density of each class's threshold, `[classes, 1]`.
  let lowest: Tensor
  /// Training latents inside, in each class's coordinates, `[classes, chains, latent]`.
  let starts: Tensor

  /// - Throws: `RecipeError` where no training latent of a class is inside.
  init<Density>(
    _ threshold: Threshold, _ targets: [ClassTarget<Density>], in density: any ChainDensity, chains: Int
  ) throws {
    let most = try targets.map { try $0.points.size(0) }.max() ?? 0
    let places = try Tensor.stack(
      targets.enumerated().map { number, target in
        let count = try target.points.size(0)
        return try density.whiten(target.points.rows((0..<most).map { $0 % count }), of: number)
      })
    let all = try density.logDensity(places)
    var (levels, chosen): ([Double], [Tensor]) = ([], [])
    for (number, target) in targets.enumerated() {
      let found = try Array(all.select(number).doubles().prefix(target.points.size(0)))
      let level =
        switch threshold {
        case .density(let density): log(density)
        case .quantile(let share): found.sorted()[Int(share * Double(found.count))]
        }
      let inside = found.indices.filter { found[$0] >= level }
      guard !inside.isEmpty else {
        throw RecipeError(
          """
          \(target.request.name): no training latent reaches the density \(exp(level)) of sampler.threshold, the highest is \
          \(exp(found.max() ?? -.infinity)); lower it, or give a share as in 5%
          """)
      }
      levels.append(max(level, -1e30))
      chosen.append(try places.select(number).rows((0..<chains).map { inside[$0 % inside.count] }))
    }
    lowest = try Tensor(levels, shape: [levels.count, 1]).to(all.dtype, all.device)
    starts = try .stack(chosen)
  }
}
