/// An objective to minimise.
public protocol Loss: Part {
  /// Returns named terms, each with its gradient. The framework reduces, weighs and adds them.
  ///
  /// Called for each batch of training, and without gradients when a part of the data is measured. A term whose value depends
  /// on gradients, a gradient penalty say, computes it inside `withGradients` with `gradients(by:createGraph: true)`.
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term]
}

extension SlotKey where Role == any Loss {
  /// The slot of losses.
  public static var loss: Self { Self(.loss) }
}

extension Contribution {
  /// Returns a loss as a contribution, made from a component.
  public static func loss<C: Loss & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.loss, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
