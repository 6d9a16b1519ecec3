import LatentKit
import Statistics
import Testing

/// `exp(−|x − 10 y|)` in each coordinate: Laplace, of variance 2. No prior and no kernels: any density becomes one for chains.
private struct Laplace: ChainDensity {
  let centres: Tensor  // [classes, 1, 1]
  let whiteningOfMoves: Tensor? = nil

  func whiten(_ latents: Tensor, of number: Int) throws -> Tensor { try latents - centres.select(number) }
  func restore(_ places: Tensor, of number: Int) throws -> Tensor { try places + centres.select(number) }
  func logDensity(_ places: Tensor) throws -> Tensor { try -places.abs().sum(axis: 2) }
}

@Test func anyDensityIsDrawnFromClassByClass() throws {
  var generator = try Generator(seed: 41)
  let labels = (0..<4000).map { Int64([2, 0][$0 % 2]) }
  let requests = try [0, 2].map { label in
    ClassRequest(
      label: label, training: try .full([3, 2], Double(10 * label), dtype: .float64),
      places: try Tensor(labels.indices.filter { labels[$0] == Int64(label) }.map(Int64.init)))
  }
  let chains = ClassChains(chains: 40, steps: 200, thinning: 20)
  let draw = try chains.draw(
    requests.map { ClassTarget(request: $0, points: $0.training, density: $0.label) }, followsLabels: true
  ) {
    targets, steps in
    #expect(steps == 1000, "50 rounds of 20 steps")
    let density = Laplace(
      centres: try Tensor(targets.compactMap { $0.density.map { Double(10 * $0) } }, shape: [targets.count, 1, 1]))
    let starts = try chains.starts(of: targets, in: density)
    let walk = MetropolisHastings(try RandomWalk(stepSize: 1, like: starts)) { try density.logDensity($0) }
    let record = try walk.run(
      from: starts, ChainSchedule(warmUp: 200, steps: steps), tuning: StepSizeTuning(), using: &generator)
    return (record, density)
  }
  #expect(draw.latents.shape == [4000, 2] && draw.warnings.isEmpty && draw.followsLabels)
  for label in [0, 2] {
    let own = try draw.latents.rows(labels.indices.filter { labels[$0] == Int64(label) })
    // 2,000 draws of variance 2, each worth half of one at least: five standard errors of a mean, and of a variance with
    // the kurtosis 6.
    #expect(try (own.mean(axis: 0) - Double(10 * label)).abs().max().item() < 0.23)
    #expect(try (own.variance(axes: [0]) - 2).abs().max().item() < 0.75)
  }
  let rate = try #require(draw.diagnostics.first { $0.name == "acceptance rate" }?.value)
  #expect(abs(rate - 30) < 4)
}

@Test func aClassWithoutADensityRepeatsItsPoint() throws {
  let request = ClassRequest(
    label: 7, training: try .full([1, 2], 3), places: try .range(0, 5))
  let draw = try ClassChains(chains: 2, steps: 20, thinning: 1).draw(
    [ClassTarget<KernelDensity>(request: request, points: request.training, density: nil)], followsLabels: true
  ) { _, _ in
    Issue.record("there is nothing to run")
    throw TensorError("run", reason: "not expected")
  }
  #expect(try draw.latents.doubles() == Array(repeating: 3, count: 10))
  #expect(draw.warnings == [request.pointWarning] && draw.diagnostics.isEmpty)
}
