/// Maps latents to class scores.
public protocol Classifier: Part {
  /// Returns scores (logits) `[batch, classes]`.
  ///
  /// - Parameter request: Latents `[batch, latent]`, without labels.
  func scores(_ request: LatentBatch) throws -> Tensor
}

extension SlotKey where Role == any Classifier {
  /// The slot of classifiers.
  public static var classifier: Self { Self(.classifier) }
}

extension Contribution {
  /// Returns a classifier as a contribution, made from a component.
  public static func classifier<C: Classifier & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.classifier, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
