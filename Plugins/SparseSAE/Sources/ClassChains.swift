import LatentKit
import Metrics

/// Takes draws from chains of several classes: which classes walk together, which steps are kept, what is reported.
struct ClassChains {
  var chains: Int
  var steps: Int
  var thinning: Int
  /// What to do about chains that do not mix, beside making them longer.
  var remedy: String?

  /// Diagnostics are those of every step, or of some steps between two draws where there are many: as ArviZ and Stan judge
  /// the draws that are stored, and not each step.
  ///
  /// - Parameters:
  ///   - targets: One for each class. Those for which `walks` is false repeat their first point.
  ///   - warnings: What there is to say beforehand.
  ///   - walk: Makes walks of so many steps for some targets, and says how to take them back to latents.
  /// - Returns: The draws, with diagnostics and warnings.
  func draw(
    _ targets: [ClassTarget], warnings: [String] = [], walks: (ClassTarget) -> Bool,
    walk: ([ClassTarget], Int) throws -> (record: WalkRecord, density: any WalkDensity)
  ) throws -> Draw {
    var reports: [ClassReport] = []
    let draws = try blocks(of: targets).flatMap { block in
      let walking = block.filter(walks)
      let made = walking.isEmpty ? nil : try walk(walking, steps(for: walking))
      var place = 0
      return try block.map { target in
        guard walks(target), let made else {
          reports.append(ClassReport(of: target.request))
          return try target.points.slice(0..<1).expanded([target.request.count, target.points.size(1)])
        }
        defer { place += 1 }
        let walks = try made.record.positions.select(place)  // [chains, steps, latent]
        let (judged, stride) = try judged(walks)
        reports.append(
          ClassReport(
            of: target.request, acceptance: made.record.acceptance?[place],
            chains: try ChainDiagnostics(of: made.density.restore(judged, of: place), every: stride)))
        let chosen = try made.density.restore(choose(target.request.count, from: walks), of: place)
        return try chosen.to(target.points.dtype, target.points.device)
      }
    }
    return Draw(
      latents: try ClassRequest.merge(draws, of: targets.map(\.request)), diagnostics: measurements(of: reports),
      warnings: warnings + problems(in: reports, remedy: remedy))
  }

  /// Neighbouring classes that walk together: as many as leave the memory small.
  private func blocks(of targets: [ClassTarget]) -> [[ClassTarget]] {
    var blocks: [[ClassTarget]] = []
    var room = 0
    for target in targets {
      let size = try chains * steps(for: [target]) * target.points.size(1)
      if size > room { (blocks, room) = (blocks + [[]], 16_000_000) }
      blocks[blocks.count - 1].append(target)
      room -= size
    }
    return blocks
  }

  /// How often every chain gives a draw.
  private func rounds(_ count: Int) -> Int { (count + chains - 1) / chains }

  private func steps(for targets: [ClassTarget]) -> Int {
    max(steps, thinning * (targets.map { rounds($0.request.count) }.max() ?? 0))
  }

  /// Every so many steps of walks, at least four for each draw and 250 in all where there are as many: neighbours hardly
  /// differ, and sorting all of them would take as long as the walk.
  private func judged(_ walks: Tensor) throws -> (steps: Tensor, stride: Int) {
    let steps = try walks.size(1)
    let stride = max(1, min(thinning / 4, steps / 250))
    guard stride > 1 else { return (walks, 1) }
    let kept = Swift.stride(from: (steps - 1) % stride, to: steps, by: stride).map(Int64.init)
    return (try walks.rows(Tensor(kept).to(walks.device), axis: 1), stride)
  }

  /// Round by round, one draw of every chain: neighbours in the result come from different chains.
  private func choose(_ count: Int, from walks: Tensor) throws -> Tensor {
    let (rounds, steps) = try (rounds(count), walks.size(1))
    let chosen = (0..<count).map { draw in
      let (round, chain) = draw.quotientAndRemainder(dividingBy: chains)
      return chain * steps + (round + 1) * steps / rounds - 1
    }
    return try walks.reshaped([chains * steps, walks.size(2)]).rows(chosen)
  }
}

/// The points of each target where its chains start, in the density's coordinates, `[classes, chains, latent]`.
func starts(of targets: [ClassTarget], chains: Int, in density: any WalkDensity) throws -> Tensor {
  try .stack(
    targets.enumerated().map { place, target in
      let count = try target.points.size(0)
      return try density.whiten(target.points.rows((0..<chains).map { $0 % count }), of: place)
    })
}
