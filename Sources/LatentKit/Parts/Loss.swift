/// An objective to minimise.
public protocol Loss: Part {
  /// Named terms, each with its gradient. The framework reduces, weighs and adds them.
  ///
  /// Called for each batch of training, and without gradients when a part of the data is measured. A term whose value is made
  /// of gradients, a penalty on them say, computes it inside `withGradients` with `gradients(by:createGraph: true)`.
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term]
}

extension SlotKey where Role == any Loss {
  /// The key of the slot `loss` in a catalog.
  public static var loss: Self { Self(.loss) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `loss`.
  public static func loss<C: Loss & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.loss, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
