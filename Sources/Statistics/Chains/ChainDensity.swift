import LatentKit

/// The densities of several classes, for chains that are run side by side. Each class has coordinates of its own, in which
/// moves of one deviation in every direction are sensible.
///
/// A plugin's own density becomes one by this protocol, and `ClassChains` then draws from it.
public protocol ChainDensity {
  /// Takes latents `[count, latent]` to the coordinates of a class, by its number among the classes.
  func whiten(_ latents: Tensor, of number: Int) throws -> Tensor
  /// Takes places `[…, latent]` back to latents, Float64 on the CPU.
  func restore(_ places: Tensor, of number: Int) throws -> Tensor
  /// Returns `log p` in latents, up to a constant of each class: `[classes, chains, latent]` to `[classes, chains]`.
  func logDensity(_ places: Tensor) throws -> Tensor
  /// Takes moves of latents to the coordinates, `[classes, latent, latent]`; nil where the coordinates are latents.
  var whiteningOfMoves: Tensor? { get }
}

/// A prior, or any density of latents and labels, for chains of some classes. Coordinates are latents.
public struct PriorDensity: ChainDensity {
  private let prior: any Prior
  private let labels: Tensor?
  public let whiteningOfMoves: Tensor? = nil

  /// - Parameter labels: `[classes]` Int64; nil for chains whatever the class.
  public init(_ prior: any Prior, labels: Tensor?) { (self.prior, self.labels) = (prior, labels) }

  public func whiten(_ latents: Tensor, of number: Int) throws -> Tensor { latents }
  public func restore(_ places: Tensor, of number: Int) throws -> Tensor { try places.to(.float64, .cpu) }

  public func logDensity(_ places: Tensor) throws -> Tensor {
    let (classes, chains, latent) = (places.shape[0], places.shape[1], places.shape[2])
    let each = try labels?.to(places.device).unsqueezed(1).expanded([classes, chains]).reshaped([classes * chains])
    return try prior.logDensity(places.reshaped([classes * chains, latent]), labels: each).reshaped([classes, chains])
  }
}
