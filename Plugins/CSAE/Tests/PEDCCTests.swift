import CSAE
import Foundation
import LatentKit
import TestSupport
import Testing

private func pedcc(
  classes: Int? = 10, latent: Int = 40, seed: UInt64 = 1, store: ParameterStore = ParameterStore(),
  _ change: (inout PEDCC.Config) -> Void = { _ in }
) throws -> PEDCC {
  var config = PEDCC.Config()
  change(&config)
  return try PEDCC(config, in: context(classes: classes, latent: latent, seed: seed, store: store))
}

/// Every value above the diagonal of `f(row, row)`.
private func pairs(_ points: Tensor, _ f: ([Double], [Double]) -> Double) throws -> [Double] {
  let rows = try rows(points)
  return rows.indices.flatMap { i in rows.indices.dropFirst(i + 1).map { f(rows[i], rows[$0]) } }
}

private func distance(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
}

@Test(arguments: [(2, 1), (2, 5), (3, 2), (10, 9), (10, 40), (41, 40), (100, 128)])
func simplexHasTheCosineOfARegularSimplex(classes: Int, latent: Int) throws {
  let prior = try pedcc(classes: classes, latent: latent) { $0.method = .simplex }
  let points = try prior.centroids / Double(latent).squareRoot()
  for cosine in try pairs(points, dot) { #expect(abs(cosine + 1 / Double(classes - 1)) < 1e-12) }
  for length in try points.square().sum(axis: 1).doubles() { #expect(abs(length - 1) < 1e-12) }
}

@Test func chargesReachTheSameDistancesAsTheSimplex() throws {
  let exact = try pedcc()
  let charges = try pedcc {
    $0.method = .charge
    $0.iterations = 1000
  }
  for (a, b) in zip(try pairs(exact.centroids, distance), try pairs(charges.centroids, distance)) {
    #expect(abs(a - 9.428090415820634) < 1e-9)  // sqrt(40 · 2 · 10/9)
    #expect(abs(b - a) < 1e-6)
  }
}

@Test func chargesAreCloseAfterThePapersIterations() throws {
  let charges = try pedcc { $0.method = .charge }
  for length in try pairs(charges.centroids, distance) { #expect(abs(length - 9.428) < 0.05) }
}

@Test func autoTakesChargesWhereThereIsNoSimplex() throws {
  let prior = try pedcc(classes: 20, latent: 3)
  #expect(prior.centroids.shape == [20, 3])
  for length in try prior.centroids.square().sum(axis: 1).doubles() { #expect(abs(length - 3) < 1e-9) }
  #expect(try pairs(prior.centroids, distance).min() ?? 0 > 0.9)
}

@Test func centroidsFollowTheSeedAndLiveInTheStore() throws {
  let store = ParameterStore()
  let one = try pedcc(seed: 3, store: store).centroids
  #expect(store.parameters.map(\.name) == ["prior.centroids"])
  #expect(store.parameters[0].role == .buffer)
  #expect(try one.doubles() == pedcc(seed: 3).centroids.doubles())
  #expect(try one.doubles() != pedcc(seed: 4).centroids.doubles())
}

@Test func simplexIsTurnedSoThatNoLatentDimensionIsSpecial() throws {
  let shares = try pedcc().centroids.square().mean(axis: 0).doubles()
  #expect(shares.allSatisfy { $0 > 0.05 }, "every dimension takes part")
}

@Test func scaleAndSpareClassesAreFollowed() throws {
  let prior = try pedcc {
    $0.classes = 20
    $0.scale = 2
  }
  #expect(prior.centroids.shape == [20, 40])
  for length in try prior.centroids.square().sum(axis: 1).doubles() { #expect(abs(length - 4) < 1e-9) }
  #expect(prior.scale == 2)
  #expect(try pedcc().scale == 40.0.squareRoot())
}

@Test func impossiblePlacesAreRefusedInASentence() throws {
  #expect(
    message { _ = try pedcc(classes: 12, latent: 1) }
      == """
      prior 'pedcc' cannot place 12 classes evenly with latentSize 1, where the sphere has two points and charges cannot \
      move; raise encoder.latent to 2 or more
      """)
  #expect(
    message { _ = try pedcc(classes: 12, latent: 5) { $0.method = .simplex } }
      == """
      prior 'pedcc' cannot place 12 classes on a regular simplex with latentSize 5, only up to 6; raise encoder.latent to \
      11 or more, or set prior.method=charge
      """)
  #expect(
    message { _ = try pedcc { $0.classes = 9 } }
      == "prior 'pedcc': classes is 9, and the data have 10; leave it out or raise it")
  #expect(message { _ = try pedcc(classes: nil) }.contains("choose a labelled dataset"))
}

@Test func moreClassesThanCanBePlacedAreRefusedAtOnce() throws {
  #expect(
    message { _ = try pedcc { $0.classes = 1_000_000_000 } }
      == "prior 'pedcc': found 1000000000 points to place evenly, expected up to 25000; take fewer classes")
  #expect(
    message { _ = try pedcc(classes: 20_000, latent: 20_000) }.contains("expected up to 838 dimensions for so many"))
}

@Test func centroidsAreNumbersAndSoAreTheSquaresOfTheirDistances() throws {
  #expect(
    message { _ = try pedcc(classes: 20, latent: 3) { $0.gamma = 1e300 } }
      == """
      prior 'pedcc': the charges ran away with gamma 1e+300 and epsilon 0.01; lower gamma, or raise epsilon: the paper has \
      0.01 for both
      """)
  for scale in [1e-15, 1e15] {
    var config = PEDCC.Config()
    config.scale = scale
    let centroids = try PEDCC(config, in: context(classes: 20, latent: 512, dtype: .float32)).centroids
    let squares = try (centroids.slice(1..<20) - centroids.slice(0..<1)).square().sum(axis: 1).doubles()
    for square in squares { #expect(abs(square / (scale * scale) - 40.0 / 19) < 1e-4) }  // Float32
  }
}

@Test func aLongPlacementAndWhetherCentroidsAreAtRestAreAnnounced() throws {
  var said: [String] = []
  func make(_ config: PEDCC.Config) throws {
    var context = try context(classes: 20, latent: 3)
    context.announce = { said.append($0) }
    _ = try PEDCC(config, in: context)
  }
  var config = PEDCC.Config()
  try make(config)
  #expect(
    said.count == 1 && said[0].hasPrefix("prior 'pedcc': centroids are not at rest after 200 iterations (the fastest"),
    "\(said)")
  said = []
  // It comes to rest at once, which is not known before.
  (config.iterations, config.tolerance, config.restarts) = (10_000_000, 1, 1)
  try make(config)
  // 2 * 10^7 iterations of 10^-4 s and some.
  #expect(
    said.count == 2 && said[0].hasPrefix("prior 'pedcc': moving 20 charges") && said[0].contains("about 34 minutes"),
    "\(said)")
  #expect(said.last?.hasPrefix("prior 'pedcc': centroids are at rest after ") == true)
}

@Test func settingsGoThroughRecipesWithTheirNames() throws {
  let config = try PEDCC.Config(["method": "charge", "classes": 20, "scale": .null], at: "prior.with")
  #expect(config.method == .charge && config.classes == 20 && config.scale == nil)
  #expect(
    message { _ = try PEDCC.Config(["method": "charges"], at: "prior.with") }
      .contains("Did you mean 'charge'?"))
  #expect(try CentroidLoss.Config(["fidelity": "paper"], at: "losses").fidelity == .paper)
  #expect(try SobelLoss.Config(["fidelity": "author-code"], at: "losses").fidelity == .authorCode)
}

@Test func densityIsTheGaussianAroundTheCentroid() throws {
  let prior = try pedcc(classes: 3, latent: 2) { $0.deviation = 0.7 }
  var generator = try Generator(seed: 5)
  let latents = try generator.normal([6, 2], dtype: .float64)
  let labels: [Int64] = [0, 1, 2, 2, 1, 0]
  func density(_ z: [Double], _ label: Int) throws -> Double {
    let length = distance(z, try prior.centroids.select(label).doubles())
    return exp(-length * length / (2 * 0.49)) / (2 * .pi * 0.49)
  }
  let given = try prior.logDensity(latents, labels: Tensor(labels)).doubles()
  let mixed = try prior.logDensity(latents, labels: nil).doubles()
  for row in 0..<6 {
    let z = try latents.select(row).doubles()
    #expect(abs(given[row] - log(try density(z, Int(labels[row])))) < 1e-10)
    let mixture = try (0..<3).reduce(0) { $0 + (try density(z, $1)) / 3 }
    #expect(abs(mixed[row] - log(mixture)) < 1e-10)
  }
}

@Test func drawsHaveTheMomentsOfTheirClass() throws {
  let prior = try pedcc(classes: 4, latent: 3) { $0.deviation = 0.5 }
  var generator = try Generator(seed: 6)
  func draw(_ count: Int, of label: Double?) throws -> Draw {
    let labels = try label.map { try Tensor.full([count], $0, dtype: .int64) }
    return try prior.draw(
      DrawRequest(labels: labels, count: count, latentSize: 3, prior: prior), using: &generator)
  }
  let result = try draw(40_000, of: 2)
  #expect(result.followsLabels)
  let offsets = try result.latents - prior.centroids.slice(2..<3)
  for mean in try offsets.mean(axis: 0).doubles() { #expect(abs(mean) < 0.0125) }  // five standard errors
  for variance in try offsets.variance(axes: [0]).doubles() { #expect(abs(variance - 0.25) < 0.01) }
  let any = try draw(7, of: nil)
  #expect(any.latents.shape == [7, 3] && !any.followsLabels)
}

@Test func centroidsArePlacedOnceForAllBuildsThatShareAMemory() throws {
  var config = PEDCC.Config()
  (config.method, config.iterations) = (.charge, 50)
  var context = try context(classes: 30, latent: 5, store: ParameterStore())
  let first = try PEDCC(config, in: context)
  func again(_ change: (inout PEDCC.Config, inout BuildContext) throws -> Void = { _, _ in }) throws -> PEDCC {
    var (config, other) = (config, try CSAETests.context(classes: 30, latent: 5, store: ParameterStore()))
    other.memory = context.memory
    try change(&config, &other)
    return try PEDCC(config, in: other)
  }
  let second = try again()
  #expect(try second.centroids.doubles() == first.centroids.doubles())
  #expect(second.report == first.report)
  // Another seed, number, size or setting is another placement.
  let others = [
    try again {
      $0.iterations = 60; _ = $1
    }, try again { config, _ in config.classes = 31 },
    try again { _, context in context.latentSize = 6 },
    try again { _, context in context.scope = try Scope(path: "prior", seed: 2, dtype: .float64) },
  ]
  for other in others { #expect(try other.centroids.doubles() != first.centroids.doubles()) }
  context.memory = BuildMemory()
  context.scope = try Scope(path: "prior", seed: 1, dtype: .float64)
  #expect(try PEDCC(config, in: context).centroids.doubles() == first.centroids.doubles())
}
