import LatentKit

/// The densities that walks of several classes go over. Each class has coordinates of its own, in which moves of one
/// deviation in every direction are sensible.
protocol WalkDensity {
  /// Latents `[count, latent]` taken to the coordinates of a class, by its place among the classes.
  func whiten(_ latents: Tensor, of place: Int) throws -> Tensor
  /// Places taken back to latents, Float64 on the CPU.
  func restore(_ places: Tensor, of place: Int) throws -> Tensor
  /// `log p` in latents: `[classes, chains, latent]` to `[classes, chains]`.
  func logDensity(_ places: Tensor) throws -> Tensor
  /// Somewhere far away in a way that leaves the density as it is; the same places where there is none.
  func jump(_ places: Tensor, using generator: inout Generator) throws -> Tensor
  /// Takes moves of latents to the coordinates, `[classes, latent, latent]`; nil where the coordinates are latents.
  var whiteningOfMoves: Tensor? { get }
}

/// A prior, for walks of some classes. Coordinates are latents.
struct PriorStack: WalkDensity {
  let prior: any Prior
  /// `[classes]` Int64; nil for walks whatever the class.
  let labels: Tensor?
  let whiteningOfMoves: Tensor? = nil

  func whiten(_ latents: Tensor, of place: Int) throws -> Tensor { latents }
  func restore(_ places: Tensor, of place: Int) throws -> Tensor { try places.to(.float64, .cpu) }
  func jump(_ places: Tensor, using generator: inout Generator) throws -> Tensor { places }

  func logDensity(_ places: Tensor) throws -> Tensor {
    let (classes, chains, latent) = try (places.size(0), places.size(1), places.size(2))
    let each = try labels?.to(places.device).unsqueezed(1).expanded([classes, chains]).reshaped([classes * chains])
    return try prior.logDensity(places.reshaped([classes * chains, latent]), labels: each).reshaped([classes, chains])
  }
}
