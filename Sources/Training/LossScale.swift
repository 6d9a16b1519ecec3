import LatentKit

/// The factor of losses while gradients are taken in Float16 (Micikevicius et al. 2018, section 3.2): small gradients would be 0 in its
/// range, large ones infinite.
///
/// A step whose gradients are not finite is left out and halves the factor; 2,000 good ones in a row double it.
public struct LossScale: Codable, Sendable, Equatable {
  /// The factor, a power of two.
  public private(set) var factor = 65536.0
  /// Good steps since the factor changed.
  public private(set) var goodSteps = 0

  /// From here on gradients that are not finite are what they are: training diverged.
  private static let least = 1.0 / 1024
  private static let most = 1_099_511_627_776.0
  private static let stepsToDouble = 2000

  public init() {}

  /// Returns the gradients of a loss; nil where they are not finite, and the step is to be left out.
  mutating func gradients(of loss: Tensor, by parameters: [Parameter]) throws -> [Tensor?]? {
    let gradients = try unscaled(loss, by: parameters)
    let areFinite = try withoutGradients {
      // One wait for the device.
      let each = try ([loss] + gradients.compactMap { $0 }).map { try $0.isFinite().to(.float32).min() }
      return try Tensor.stack(each).min().item() == 1
    }
    guard areFinite else {
      // A loss that is not finite has no such gradients at any factor.
      guard factor > LossScale.least, try loss.isFinite().all() else { return gradients }
      (factor, goodSteps) = (factor / 2, 0)
      return nil
    }
    goodSteps += 1
    if goodSteps == LossScale.stepsToDouble { (factor, goodSteps) = (min(factor * 2, LossScale.most), 0) }
    return gradients
  }

  /// Returns the gradients of a loss whatever they are, scaled in between.
  func unscaled(_ loss: Tensor, by parameters: [Parameter], retainGraph: Bool = false) throws -> [Tensor?] {
    let scaled = try (loss * factor).gradients(by: parameters.map(\.tensor), retainGraph: retainGraph)
    return try withoutGradients { try scaled.map { try $0.map { try $0 / factor } } }
  }

  /// What is impossible about it; nil where nothing is.
  var problem: String? {
    factor.isFinite && factor.significand == 1 && (LossScale.least...LossScale.most).contains(factor)
      && (0...LossScale.stepsToDouble).contains(goodSteps)
      ? nil : "a scale of losses of \(factor) after \(goodSteps) good steps, expected a power of two"
  }
}
