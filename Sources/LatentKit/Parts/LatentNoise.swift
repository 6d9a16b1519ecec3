/// Changes latents between encoder and decoder in training, for decoders robust to noise.
public protocol LatentNoise: Part {
  /// Returns the perturbed latents, `[batch, latent]`.
  ///
  /// - Parameters:
  ///   - request: Latents `[batch, latent]`; with labels only where the noise `needs` them.
  ///   - generator: On the device of the latents.
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor
}

extension SlotKey where Role == any LatentNoise {
  /// The slot of latent noise.
  public static var noise: Self { Self(.noise) }
}

extension Contribution {
  /// Returns latent noise as a contribution, made from a component.
  public static func noise<C: LatentNoise & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.noise, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
