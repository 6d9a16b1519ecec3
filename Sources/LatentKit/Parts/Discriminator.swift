/// Tells real inputs from generated ones.
public protocol Discriminator: Part {
  /// One score for each input, `[batch, 1]`; what a high one means is up to the criterion that trains it.
  ///
  /// - Parameter batch: Inputs `[batch] + inputShape`; with labels only where the discriminator `needs` them.
  func score(_ batch: Batch) throws -> Tensor
}

extension SlotKey where Role == any Discriminator {
  /// The key of the slot `discriminator` in a catalog.
  public static var discriminator: Self { Self(.discriminator) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `discriminator`.
  public static func discriminator<C: Discriminator & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.discriminator, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
