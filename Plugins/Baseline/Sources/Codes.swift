import LatentKit

/// The last layer of an encoder: features to a code.
struct CodeHead: Sendable {
  private let mean: Linear
  private let logVariance: Linear?

  init(_ features: Int, latent: Int, kind: CodeKind, in scope: Scope) throws {
    mean = try Linear(features, latent, in: scope("latent"))
    logVariance = kind == .gaussian ? try Linear(features, latent, in: scope("logVariance")) : nil
  }

  func callAsFunction(_ features: Tensor) throws -> Code {
    guard let logVariance else { return .point(try mean(features)) }
    return .gaussian(mean: try mean(features), logVariance: try logVariance(features))
  }
}

extension SettingRange {
  /// Lengths that a layer can have.
  static let width = SettingRange.within(1...1_000_000)
  /// Widths of hidden layers, or of none.
  static let widths = width.each(count: 0...64)
  /// Channels of layers that each halve or double an image: no more than images can be halved.
  static let channels = width.each(count: 1...16)
}
