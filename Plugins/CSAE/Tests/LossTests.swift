import CSAE
import LatentKit
import TestSupport
import Testing

private func prior(latent: Int = 4) throws -> PEDCC {
  try PEDCC(PEDCC.Config(), in: context(classes: 3, latent: latent))
}

private func centroidTerm(_ latents: Tensor, _ labels: Tensor, _ fidelity: Fidelity, under prior: any Prior) throws
  -> Tensor
{
  var config = CentroidLoss.Config()
  config.fidelity = fidelity
  let pass = try forward(latents: latents, reconstruction: latents, inputs: latents, labels: labels, prior: prior)
  return try onlyTerm(of: CentroidLoss(config, in: context(classes: 3, latent: 4)), pass, under: prior)
}

@Test(arguments: [Fidelity.paper, .authorCode])
func centroidLossAgreesWithALoopAndFiniteDifferences(fidelity: Fidelity) throws {
  var generator = try Generator(seed: 1)
  let latents = try generator.normal([5, 4], dtype: .float64)
  let labels: [Int64] = [0, 2, 1, 1, 0]
  let prior = try prior()
  var sum = 0.0
  for (row, label) in labels.enumerated() {
    let (z, c) = (try latents.select(row).doubles(), try prior.centroids.select(Int(label)).doubles())
    for k in 0..<4 { sum += (z[k] - c[k]) * (z[k] - c[k]) }
  }
  let expected = fidelity == .paper ? sum / 5 : sum / 20
  let targets = try Tensor(labels)
  #expect(abs(try centroidTerm(latents, targets, fidelity, under: prior).item() - expected) < 1e-12)
  #expect(try gradientError(of: { try centroidTerm($0, targets, fidelity, under: prior) }, at: latents) < 1e-7)
}

@Test func centroidLossIsZeroAtTheCentroids() throws {
  let prior = try prior()
  let labels = try Tensor([2, 0, 1] as [Int64])
  #expect(try centroidTerm(prior.centroids.rows(labels), labels, .paper, under: prior).item() == 0)
}

@Test func centroidLossNeedsCentroids() throws {
  let latents = try Tensor.zeros([2, 4], dtype: .float64)
  let labels = try Tensor([0, 1] as [Int64])
  #expect(
    message { _ = try centroidTerm(latents, labels, .paper, under: FlatPrior()) }
      == """
      loss 'centroid' needs a prior with class centroids, which this recipe does not have; choose one, pedcc say
      """)
}

@Test(arguments: [Fidelity.paper, .authorCode])
func centroidLossIsOverTheLabelledExamples(fidelity: Fidelity) throws {
  var generator = try Generator(seed: 5)
  let latents = try generator.normal([4, 4], dtype: .float64)
  let prior = try prior()
  let labels: [Int64] = [2, 0, 0, 1]
  let mask = try Tensor([1, 0, 0, 1] as [Int64]) .!= 0
  var config = CentroidLoss.Config()
  config.fidelity = fidelity
  let pass = try forward(
    latents: latents, reconstruction: latents, inputs: latents, labels: Tensor(labels), labelled: mask, prior: prior)
  let found = try pass.reduced(CentroidLoss(config, in: context(classes: 3, latent: 4)), under: prior)[0].value.item()
  var sum = 0.0
  for row in [0, 3] {
    let (z, c) = (try latents.select(row).doubles(), try prior.centroids.select(Int(labels[row])).doubles())
    sum += zip(z, c).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
  #expect(abs(found - sum / (fidelity == .paper ? 2 : 8)) < 1e-12)
}

private func sobelTerm(_ made: Tensor, _ given: Tensor, _ fidelity: Fidelity) throws -> Tensor {
  var config = SobelLoss.Config()
  config.fidelity = fidelity
  let pass = try forward(latents: made, reconstruction: made, inputs: given, labels: nil, prior: FlatPrior())
  let shape = Array(made.shape.dropFirst())
  return try onlyTerm(
    of: SobelLoss(config, in: context(shape: shape, title: "loss 'sobel'")), pass, under: FlatPrior())
}

/// The responses of one plane to both filters, by loops; outside the image is zero.
private func responses(_ plane: [[Double]], padding: Int) -> [(x: Double, y: Double)] {
  let filter = [[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]
  let (height, width) = (plane.count, plane[0].count)
  func pixel(_ row: Int, _ column: Int) -> Double {
    (0..<height).contains(row) && (0..<width).contains(column) ? plane[row][column] : 0
  }
  var found: [(x: Double, y: Double)] = []
  for row in (1 - padding)..<(height - 1 + padding) {
    for column in (1 - padding)..<(width - 1 + padding) {
      var (x, y) = (0.0, 0.0)
      for i in -1...1 {
        for j in -1...1 {
          x += filter[i + 1][j + 1] * pixel(row + i, column + j)
          y += filter[j + 1][i + 1] * pixel(row + i, column + j)
        }
      }
      found.append((x, y))
    }
  }
  return found
}

private func planes(_ images: Tensor, of image: Int) throws -> [[[Double]]] {
  try (0..<images.size(1)).map { channel in
    try (0..<images.size(2)).map { try images.select(image).select(channel).select($0).doubles() }
  }
}

@Test(arguments: [1, 3])
func sobelLossOfThePaperAgreesWithLoops(channels: Int) throws {
  var generator = try Generator(seed: 2)
  let made = try generator.normal([4, channels, 6, 5], dtype: .float64)
  let given = try generator.normal([4, channels, 6, 5], dtype: .float64) * 0.5
  func strength(_ images: Tensor, _ image: Int) throws -> Double {
    let all = try planes(images, of: image).flatMap { responses($0, padding: 0) }
    return all.reduce(0) { $0 + $1.x * $1.x + $1.y * $1.y } / Double(all.count)
  }
  let expected = try (0..<4).reduce(0) { $0 + abs(try strength(made, $1) - strength(given, $1)) / 4 }
  #expect(abs(try sobelTerm(made, given, .paper).item() - expected) < 1e-10)
  #expect(try gradientError(of: { try sobelTerm($0, given, .paper) }, at: made) < 1e-6)
}

@Test(arguments: [1, 3])
func sobelLossOfTheAuthorsCodeAgreesWithLoops(channels: Int) throws {
  var generator = try Generator(seed: 3)
  let made = try generator.normal([4, channels, 6, 5], dtype: .float64)
  let given = try generator.normal([4, channels, 6, 5], dtype: .float64) * 0.5
  func strength(_ images: Tensor) throws -> Double {
    let all = try (0..<4).flatMap { try planes(images, of: $0).flatMap { responses($0, padding: 1) } }
    return all.reduce(0) { $0 + ($1.x + $1.y) * ($1.x + $1.y) } / Double(all.count)
  }
  #expect(abs(try sobelTerm(made, given, .authorCode).item() - abs(strength(made) - strength(given))) < 1e-10)
  #expect(try gradientError(of: { try sobelTerm($0, given, .authorCode) }, at: made) < 1e-6)
}

@Test(arguments: [Fidelity.paper, .authorCode])
func sobelLossIsGivenPerExampleByThePaperOnly(fidelity: Fidelity) throws {
  let images = try Tensor.ones([3, 1, 6, 5], dtype: .float64)
  var config = SobelLoss.Config()
  config.fidelity = fidelity
  let loss = try SobelLoss(config, in: context(shape: [1, 6, 5]))
  let pass = try forward(latents: images, reconstruction: images, inputs: images, labels: nil, prior: FlatPrior())
  #expect(try loss.terms(pass, under: FlatPrior())[0].isPerExample == (fidelity == .paper))
  #expect(loss.needs == .images)
}

@Test func sobelLossIgnoresWhereEdgesAre() throws {
  let image = try Tensor.concatenate(
    [.zeros([1, 1, 8, 4], dtype: .float64), .ones([1, 1, 8, 4], dtype: .float64)], axis: 3)
  #expect(abs(try sobelTerm(image.flipped(axis: 3), image, .paper).item()) < 1e-12)
  #expect(try sobelTerm(image * 0.5, image, .paper).item() > 1)
}

@Test func sobelLossTakesImagesThatAreChannelsLast() throws {
  var generator = try Generator(seed: 4)
  let made = try generator.normal([2, 3, 6, 5], dtype: .float64)
  let given = try generator.normal([2, 3, 6, 5], dtype: .float64)
  let plain = try sobelTerm(made, given, .paper).item()
  #expect(abs(try sobelTerm(made.channelsLast(), given.channelsLast(), .paper).item() - plain) < 1e-12)
}

@Test func sobelLossRefusesWhatIsNoImage() throws {
  #expect(
    message { _ = try SobelLoss(SobelLoss.Config(), in: context(shape: [532], title: "loss 'sobel'")) }
      == """
      loss 'sobel' compares edges in images [channels, height, width] with sides of 3 or more, found inputs of shape [532]; \
      if prior 'pedcc' brought it along, choose the other losses, centroid and mse
      """)
}
