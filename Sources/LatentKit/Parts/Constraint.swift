/// Keeps weights inside a set.
public protocol Constraint: Part {
  /// Moves one parameter into the set, in place; a parameter that is inside stays as it is. Called without gradients.
  func project(_ weights: Tensor) throws
}

extension SlotKey where Role == any Constraint {
  /// The key of the slot `constraint` in a catalog.
  public static var constraint: Self { Self(.constraint) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `constraint`.
  public static func constraint<C: Constraint & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.constraint, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
