import ConformanceKit
import Foundation
import LatentKit
import Testing

/// What is wrong with a prior, and the check that finds it.
private enum PriorFlaw: String, Flaw {
  case sum = "shapes"
  case infinite = "extremes"
  case noConstant = "normalised"
  case constantOfThePlane = "normalised/dimensions"
  case ignoresLabels = "classes"
  case centroidShape = "classes/centroids"
  case centroidScale = "classes/scale"
  case drawCount = "draws"
  case drawType = "draws/float64"
  case drawsItself = "draws/stray"
  case alwaysTheSame = "draws/same"
  case follows = "draws/follows"
  case tooWide = "draws-follow"
  case otherClass = "draws-follow/class"
  case missingGradient = "gradients"
  case learnsOutside = "online"
  case readsHidden = "online/hidden"
}

/// A unit Gaussian around a corner for each class, with one flaw or none.
private final class FlawedPrior: CentroidPrior, DirectPrior, OnlineUpdate, @unchecked Sendable {
  let centroids: Tensor
  var scale: Double? { flaw == .centroidScale ? 7 : nil }
  private let flaw: PriorFlaw?
  private let stray = Stray()
  private var shift = 0.0
  private let total: Tensor

  init(_ flaw: PriorFlaw?, _ context: BuildContext) throws {
    self.flaw = flaw
    let count = try context.requireClasses()
    var generator = try Generator(seed: context.seed)
    let size = context.latentSize + (flaw == .centroidShape ? 1 : 0)
    centroids = try context.scope.buffer("centroids", generator.normal([count, size]))
    total = try context.scope.buffer("total", .zeros([1]))
  }

  private func places() throws -> Tensor { flaw == .centroidShape ? try centroids.slice(0..<2, axis: 1) : centroids }

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let places = try places()
    let offset = try latents.unsqueezed(1) - places.unsqueezed(0) - total * 0.01 - shift
    var each = try offset.square().sum(axis: 2) * -0.5
    if flaw != .noConstant {
      each = try each - (flaw == .constantOfThePlane ? 1 : 0.5 * Double(latents.size(1))) * log(2 * Double.pi)
    }
    if flaw == .missingGradient { each = try each * 0.5 + each.detached() * 0.5 }
    if flaw == .infinite { each = try each + (latents.abs().max(axis: 1, keep: true) - 500).relu() * 1e37 }
    if flaw == .sum { each = try each.sum(axis: 0, keep: true) }
    if let labels, flaw != .ignoresLabels { return try each.gathered(labels.unsqueezed(1), axis: 1).squeezed(1) }
    return try each.logSumExp(axis: 1) - log(Double(centroids.size(0)))
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let places = try places()
    var labels = try request.labels ?? generator.integers(0..<places.size(0), [request.count])
    if flaw == .otherClass { labels = try (labels .== 0).to(.int64) }
    var noise = try generator.normal([request.count, places.size(1)])
    switch flaw {
    case .drawsItself: noise = try stray.normal(noise.shape, like: noise)
    case .alwaysTheSame:
      var own = try Generator(seed: 1)
      noise = try own.normal(noise.shape)
      if request.labels == nil { labels = try labels.filled(with: 0) }
    case .tooWide: noise = try noise * 1.3
    default: break
    }
    var latents = try places.rows(labels) + noise
    if flaw == .drawCount { latents = try Tensor.concatenate([latents, latents]) }
    if flaw == .drawType { latents = try latents.to(.float64) }
    return Draw(latents: latents, followsLabels: flaw == .follows || request.labels != nil)
  }

  func update(after forward: Forward) throws {
    if flaw == .learnsOutside { shift += 1 }
    if flaw == .readsHidden { try total.addInPlace(try forward.labels.to(.float32).sum().reshaped([1])) }
    try total.addInPlace(.ones([1]))
  }
}

/// The standard normal prior with half its divergence.
private struct HalfDivergence: AnalyticPrior {
  let factor: Double
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try latents.square().sum(axis: 1) * -0.5 - 0.5 * Double(latents.size(1)) * log(2 * Double.pi)
  }
  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
    try (mean.square() + logVariance.exp() - logVariance - 1).sum(axis: 1) * factor
  }
}

/// A Gaussian with the mean of the latents that it is fitted to.
private final class Fitted: FittablePrior, @unchecked Sendable {
  enum Flaw { case remembers, traps, divides }
  private let flaw: Flaw?
  private var mean: Tensor?
  private var spread = 1.0
  init(_ flaw: Flaw?) { self.flaw = flaw }

  func fit(_ latents: LatentSet, using generator: inout Generator) throws {
    let fresh = try latents.latents.mean(axis: 0)
    mean = flaw == .remembers ? try mean.map { try ($0 + fresh) / 2 } ?? fresh : fresh
    if flaw == .divides { spread = try latents.latents.variance(axes: [], unbiased: true).item() }
  }

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    guard let mean else {
      if flaw == .traps { return try latents.reshaped([1, 1, 1]) }
      throw RecipeError("the prior is not fitted")
    }
    let size = Double(try latents.size(1))
    return try (latents - mean).square().sum(axis: 1) * (-0.5 / spread) - 0.5 * size * log(2 * Double.pi * spread)
  }
}

extension BrokenPart {
  static let priors: [BrokenPart] =
    PriorFlaw.allCases.map { flaw in BrokenPart(.prior, flaw.check, "\(flaw)") { try FlawedPrior(flaw, $1) } } + [
      BrokenPart(.prior, "divergence", "half of it") { _, _ in HalfDivergence(factor: 0.25) },
      BrokenPart(.prior, "fit", "remembers", words: "earlier fit") { _, _ in Fitted(.remembers) },
      BrokenPart(.prior, "fit", "divides by no spread", words: "not a number") { _, _ in Fitted(.divides) },
      BrokenPart(.prior, "before-fit", "traps") { _, _ in Fitted(.traps) },
    ]
}

@Suite struct PriorChecks {
  @Test func soundPriorsConform() throws {
    let findings = try findings(.prior) { try FlawedPrior(nil, $1) }
    expectConforming(findings)
    for check in ["normalised", "draws-follow", "online"] { #expect(findings[check]?.outcome == .passed) }
    expectConforming(try ConformanceKitTests.findings(.prior) { _, _ in HalfDivergence(factor: 0.5) })
    expectConforming(try ConformanceKitTests.findings(.prior) { _, _ in Fitted(nil) })
  }

  @Test func anUnnormalisedPriorMaySaySo() throws {
    struct Unnormalised: UnnormalizedPrior {
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try -latents.square().sum(axis: 1) }
    }
    #expect(try finding("normalised", .prior) { _, _ in Unnormalised() }.outcome == .skipped)
  }
}
