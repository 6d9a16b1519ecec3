import Foundation
import LatentKit

/// A density over the plane with known moments, from which samplers are to draw.
struct Target: Sendable {
  enum Kind: String, CaseIterable { case gaussian, modes, box }

  let kind: Kind
  let prior: any DirectPrior & Sendable
  /// The mean and the covariance of all draws.
  let mean: [Double]
  let covariance: [Double]

  static func made(_ kind: Kind) -> Target {
    switch kind {
    case .gaussian:
      Target(kind: kind, prior: CorrelatedGaussian(), mean: [1, -2], covariance: [4, 1.6, 1.6, 1])
    case .modes: Target(kind: kind, prior: TwoModes(), mean: [0, 0], covariance: [16.25, 0, 0, 0.25])
    case .box: Target(kind: kind, prior: UnitBox(), mean: [0.5, 0.5], covariance: [1.0 / 12, 0, 0, 1.0 / 12])
    }
  }

  /// Draws from the target as training latents; with the mode as label where there are modes.
  func reference(_ count: Int, seed: UInt64, device: Device) throws -> LatentSet {
    var generator = try Generator(seed: seed, for: "training latents of checks", device: device)
    let labels = try kind == .modes ? Tensor((0..<count).map { Int64($0 % 2) }).to(device) : nil
    let request = DrawRequest(labels: labels, count: count, latentSize: 2, prior: prior)
    return LatentSet(latents: try prior.draw(request, using: &generator).latents, labels: labels)
  }

  /// What is wrong with the moments of draws, beyond what a good estimate of them may be off; nil for nothing.
  func fault(of draws: Tensor) throws -> String? {
    let rows = try draws.to(.cpu).doubles()
    let count = Double(rows.count / 2)
    var (m, c) = ([0.0, 0.0], [0.0, 0.0, 0.0, 0.0])
    for (index, value) in rows.enumerated() { m[index % 2] += value / count }
    for row in 0..<rows.count / 2 {
      for i in 0..<4 { c[i] += (rows[2 * row + i / 2] - m[i / 2]) * (rows[2 * row + i % 2] - m[i % 2]) / count }
    }
    for axis in 0..<2 where abs(m[axis] - mean[axis]) > 0.25 * covariance[3 * axis].squareRoot() {
      return "the mean of draws is \(m.map(short)), and that of the density \(mean)"
    }
    for i in 0..<4
    where abs(c[i] - covariance[i]) > 0.35 * (covariance[3 * (i / 2)] * covariance[3 * (i % 2)]).squareRoot() {
      return "the covariance of draws is \(c.map(short)), and that of the density \(covariance.map(short))"
    }
    return nil
  }
}

/// `N((1, −2), ((4, 1.6), (1.6, 1)))`.
struct CorrelatedGaussian: DirectPrior, Sendable {
  private static let mean: [Float] = [1, -2]
  // L Lᵀ is the covariance.
  private static let factor: [Float] = [2, 0, 0.8, 0.6]

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let offset = try latents - Tensor(Self.mean).to(latents.dtype, latents.device)
    let whitened = try Tensor(Self.factor, shape: [2, 2]).to(latents.dtype, latents.device).solveTriangular(
      offset.transposed())
    return try whitened.square().sum(axis: 0) * -0.5 - (log(2 * Double.pi) + log(1.2))
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let factor = try Tensor(Self.factor, shape: [2, 2]).to(generator.device)
    let noise = try generator.normal([request.count, 2])
    return Draw(
      latents: try noise.matmul(factor.transposed()) + Tensor(Self.mean).to(generator.device), followsLabels: false)
  }
}

/// `N((±4, 0), I / 4)`, half each; the class is the mode.
struct TwoModes: CentroidPrior, DirectPrior, Sendable {
  var centroids: Tensor { get throws { try Tensor([-4, 0, 4, 0] as [Float], shape: [2, 2]) } }

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let places = try centroids.to(latents.dtype, latents.device)
    let each = try (latents.unsqueezed(1) - places.unsqueezed(0)).square().sum(axis: 2) * -2 - log(Double.pi / 2)
    guard let labels else { return try each.logSumExp(axis: 1) - log(2) }
    return try each.gathered(labels.unsqueezed(1), axis: 1).squeezed(1)
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let labels = try request.labels ?? generator.integers(0..<2, [request.count])
    let places = try centroids.to(generator.device).rows(labels)
    return Draw(latents: try places + generator.normal([request.count, 2]) * 0.5, followsLabels: request.labels != nil)
  }
}

/// The uniform density over the unit square.
struct UnitBox: DirectPrior, Sendable {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let isInside = try (latents .>= 0).and(latents .<= 1).to(latents.dtype).min(axis: 1)
    // The logarithm of 1 or of 0.
    return try isInside.log()
  }

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    Draw(latents: try generator.uniform([request.count, 2]), followsLabels: false)
  }
}
