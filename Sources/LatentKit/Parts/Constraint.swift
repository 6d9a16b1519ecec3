/// Keeps weights inside a set.
public protocol Constraint: Part {
  /// Moves one parameter into the set, in place; a parameter that is inside stays as it is. Called without gradients.
  func project(_ weights: Tensor) throws
}

/// A constraint that moves a parameter to the nearest point of the set, by Euclidean distance, and is checked for it.
public protocol NearestPointConstraint: Constraint {}

extension SlotKey where Role == any Constraint {
  /// The slot of constraints.
  public static var constraint: Self { Self(.constraint) }
}

extension Contribution {
  /// Returns a constraint as a contribution, made from a component.
  public static func constraint<C: Constraint & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.constraint, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
