import LatentKit

/// Whether an encoder gives points or Gaussians.
public enum CodeKind: String, Choice { case point, gaussian }

/// The last layer of an encoder: features to a code.
struct CodeHead: Sendable {
  private let center: Linear
  private let logVariance: Linear?

  init(_ features: Int, latent: Int, kind: CodeKind, in scope: Scope) throws {
    center = try Linear(features, latent, in: scope("latent"))
    logVariance = kind == .gaussian ? try Linear(features, latent, in: scope("logVariance")) : nil
  }

  func callAsFunction(_ features: Tensor) throws -> Code {
    guard let logVariance else { return .point(try center(features)) }
    return .gaussian(mean: try center(features), logVariance: try logVariance(features))
  }
}

/// - Throws: `RecipeError` unless every length is one that a layer can have.
func requirePositive(_ values: [Int], _ name: String, of context: BuildContext) throws {
  if let bad = values.first(where: { !(1...1_000_000).contains($0) }) {
    throw RecipeError("\(context.title): \(name) has \(bad), expected whole numbers from 1 to 1000000")
  }
}

/// - Throws: `RecipeError` unless there are some layers, and no more than images can be halved.
func requireLayers(_ widths: [Int], of context: BuildContext) throws {
  try requirePositive(widths, "widths", of: context)
  guard (1...16).contains(widths.count) else {
    throw RecipeError("\(context.title): widths has \(widths.count) entries, expected 1 to 16")
  }
}
