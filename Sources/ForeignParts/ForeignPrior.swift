import LatentKit

/// A prior whose log density a foreign function computes.
class ForeignPrior: Prior {
  fileprivate let density: ForeignDensity

  fileprivate init(_ density: ForeignDensity) { self.density = density }

  final func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try density.logDensity(latents, labels: labels)
  }

  final var precision: DType { density.precision }
  final var knowsClasses: Bool { density.classCount != nil }

  /// Makes the prior of a manifest.
  ///
  /// - Parameters:
  ///   - draw: The function that draws from it; nil where there is none.
  ///   - isNormalized: Whether the density integrates to one.
  static func make(
    _ density: ForeignFunction, _ draw: ForeignFunction?, isNormalized: Bool, _ values: SettingValues,
    _ context: BuildContext
  ) throws -> any Prior {
    let density = try ForeignDensity(density, values, context)
    guard let draws = try draw.map({ try ForeignDraws($0, values, context) }) else {
      return isNormalized ? ForeignPrior(density) : UnnormalizedForeignPrior(density)
    }
    return isNormalized ? DirectForeignPrior(density, draws) : UnnormalizedDirectForeignPrior(density, draws)
  }
}

private final class UnnormalizedForeignPrior: ForeignPrior, UnnormalizedPrior {}

private class DirectForeignPrior: ForeignPrior, DirectPrior {
  private let draws: ForeignDraws

  init(_ density: ForeignDensity, _ draws: ForeignDraws) {
    self.draws = draws
    super.init(density)
  }

  final func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let followsLabels = draws.usesLabels && request.labels != nil
    let labels =
      draws.usesLabels
      ? try request.labels ?? generator.integers(0..<(density.classCount ?? 1), [request.count]) : nil
    let latents = try draws.drawn(request.count, using: &generator, labels: labels)
    return Draw(latents: latents, followsLabels: followsLabels)
  }
}

private final class UnnormalizedDirectForeignPrior: DirectForeignPrior, UnnormalizedPrior {}
