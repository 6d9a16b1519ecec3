/// Distinguishes real inputs from generated ones.
public protocol Discriminator: Part {
  /// Returns one score for each input, `[batch, 1]`; its meaning depends on the loss that trains it.
  ///
  /// - Parameter batch: Inputs `[batch] + inputShape`; with labels only where the discriminator `needs` them.
  func score(_ batch: Batch) throws -> Tensor
}

extension SlotKey where Role == any Discriminator {
  /// The slot of discriminators.
  public static var discriminator: Self { Self(.discriminator) }
}

extension Contribution {
  /// Returns a discriminator as a contribution, made from a component.
  public static func discriminator<C: Discriminator & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.discriminator, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
