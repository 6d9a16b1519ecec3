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

/// - Throws: `RecipeError` unless every length is at least 1.
func requirePositive(_ values: [Int], _ name: String, of context: BuildContext) throws {
  if let bad = values.first(where: { $0 < 1 }) {
    throw RecipeError("\(context.title): \(name) has \(bad), expected whole numbers of at least 1")
  }
}
