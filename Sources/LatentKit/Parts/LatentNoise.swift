/// Changes latents between encoder and decoder while training: for decoders that must bear noise.
public protocol LatentNoise: Part {
  /// The disturbed latents, `[batch, latent]`.
  ///
  /// - Parameters:
  ///   - request: Latents `[batch, latent]`; with labels only where the noise `needs` them.
  ///   - generator: On the device of the latents.
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor
}

extension SlotKey where Role == any LatentNoise {
  /// The key of the slot `noise` in a catalog.
  public static var noise: Self { Self(.noise) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `noise`.
  public static func noise<C: LatentNoise & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.noise, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
