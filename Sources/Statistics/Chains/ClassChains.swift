import LatentKit

/// The density that chains of one class follow, and their starts.
public struct ClassTarget<Density> {
  /// The requested draws.
  public let request: ClassRequest
  /// Training latents of the class, `[points, latent]`, at least one: where chains start.
  public let points: Tensor
  /// Nil for a class that no chain can follow, as it has no spread.
  public let density: Density?

  /// Creates the target of one class.
  public init(request: ClassRequest, points: Tensor, density: Density?) {
    (self.request, self.points, self.density) = (request, points, density)
  }
}

/// Takes draws from chains of several classes: which classes run together, which steps are kept, what is reported.
///
/// Draws are taken evenly over all chains, at least `thinning` steps apart in each.
public struct ClassChains: Sendable {
  /// Chains of each class, side by side, 1 or more.
  public var chains: Int
  /// Steps of each chain after the warm-up, 1 or more; more where thinning and the number of draws require them.
  public var steps: Int
  /// Steps between two draws of a chain, at least, 1 or more.
  public var thinning: Int
  /// Advice for chains that do not mix, beside running them longer.
  public var remedy: String?

  /// Creates the settings of chains.
  public init(chains: Int, steps: Int, thinning: Int, remedy: String? = nil) {
    (self.chains, self.steps, self.thinning, self.remedy) = (chains, steps, thinning, remedy)
  }

  /// Returns the points of each target where its chains start, in the density's coordinates, `[classes, chains, latent]`.
  public func starts<Density>(of targets: [ClassTarget<Density>], in density: any ChainDensity) throws -> Tensor {
    try .stack(
      targets.enumerated().map { number, target in
        let count = target.points.shape[0]
        return try density.whiten(target.points.rows((0..<chains).map { $0 % count }), of: number)
      })
  }

  /// Draws from chains: the acceptance rate, the largest split R-hat, the smallest bulk effective sample size and the longest
  /// autocorrelation time as diagnostics, and warnings about chains that have not mixed or hold fewer draws than requested. The
  /// warnings name the sampler's settings `chains`, `warmUp` and `steps`.
  ///
  /// Diagnostics are those of every step, or of some steps between two draws where there are many: as ArviZ and Stan assess
  /// the draws that are stored, and not each step.
  ///
  /// - Parameters:
  ///   - targets: One for each class. Those without a density repeat their first point, with a warning.
  ///   - followsLabels: Whether draws are of the requested classes.
  ///   - warnings: Others, put first.
  ///   - run: Runs chains of so many steps for some targets, in one batch of `[classes, chains, latent]`, and returns how to
  ///     take them back to latents.
  /// - Returns: Draws `[count, latent]` in the requested order, with diagnostics and warnings.
  public func draw<Density>(
    _ targets: [ClassTarget<Density>], followsLabels: Bool, warnings: [String] = [],
    run: ([ClassTarget<Density>], _ steps: Int) throws -> (record: ChainRecord, density: any ChainDensity)
  ) throws -> Draw {
    var reports: [ClassReport] = []
    let draws = try blocks(of: targets).flatMap { block in
      let running = block.filter { $0.density != nil }
      let made = running.isEmpty ? nil : try run(running, steps(for: running))
      var number = 0
      return try block.map { target in
        guard target.density != nil, let made else {
          reports.append(ClassReport(of: target.request))
          return try target.points.slice(0..<1).expanded([target.request.count, target.points.size(1)])
        }
        defer { number += 1 }
        let walks = try made.record.positions.select(number)  // [chains, steps, latent]
        let (kept, stride) = try diagnosed(walks)
        reports.append(
          ClassReport(
            of: target.request, acceptance: made.record.acceptance?[number],
            chains: try ChainDiagnostics(of: made.density.restore(kept, of: number), every: stride)))
        let chosen = try made.density.restore(choose(target.request.count, from: walks), of: number)
        return try chosen.to(target.points.dtype, target.points.device)
      }
    }
    return Draw(
      latents: try ClassRequest.merge(draws, of: targets.map(\.request)),
      followsLabels: followsLabels, diagnostics: measurements(of: reports),
      warnings: warnings + problems(in: reports, remedy: remedy))
  }

  /// Returns neighbouring classes that run together: as many as leave the memory small.
  private func blocks<Density>(of targets: [ClassTarget<Density>]) -> [[ClassTarget<Density>]] {
    var blocks: [[ClassTarget<Density>]] = []
    var room = 0
    for target in targets {
      let size = chains * steps(for: [target]) * target.points.shape[1]
      if size > room { (blocks, room) = (blocks + [[]], 16_000_000) }
      blocks[blocks.count - 1].append(target)
      room -= size
    }
    return blocks
  }

  /// Returns the number of draws from each chain.
  private func rounds(_ count: Int) -> Int { (count + chains - 1) / chains }

  private func steps<Density>(for targets: [ClassTarget<Density>]) -> Int {
    max(steps, thinning * (targets.map { rounds($0.request.count) }.max() ?? 0))
  }

  /// Returns every so many steps of walks, at least four for each draw and 250 in all where there are as many: neighbours hardly
  /// differ, and sorting all of them would take as long as the walk.
  private func diagnosed(_ walks: Tensor) throws -> (steps: Tensor, stride: Int) {
    let steps = walks.shape[1]
    let stride = max(1, min(thinning / 4, steps / 250))
    guard stride > 1 else { return (walks, 1) }
    let kept = Swift.stride(from: (steps - 1) % stride, to: steps, by: stride).map(Int64.init)
    return (try walks.rows(Tensor(kept).to(walks.device), axis: 1), stride)
  }

  /// Returns draws round by round, one of every chain: neighbours in the result come from different chains.
  private func choose(_ count: Int, from walks: Tensor) throws -> Tensor {
    let (rounds, steps) = (rounds(count), walks.shape[1])
    let chosen = (0..<count).map { draw in
      let (round, chain) = draw.quotientAndRemainder(dividingBy: chains)
      return chain * steps + (round + 1) * steps / rounds - 1
    }
    return try walks.reshaped([chains * steps, walks.size(2)]).rows(chosen)
  }
}
