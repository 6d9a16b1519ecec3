/// Maps latents back to inputs.
public protocol Decoder: Part {
  /// Returns the decoded inputs, `[batch] + inputShape`.
  ///
  /// - Parameter request: Latents `[batch, latent]`; with labels only where the decoder `needs` them. A decoder that does
  ///   is conditioned on the class, and what it makes is shown under class names.
  func decode(_ request: LatentBatch) throws -> Tensor
}

extension SlotKey where Role == any Decoder {
  /// The slot of decoders.
  public static var decoder: Self { Self(.decoder) }
}

extension Contribution {
  /// Returns a decoder as a contribution, made from a component.
  public static func decoder<C: Decoder & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.decoder, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
