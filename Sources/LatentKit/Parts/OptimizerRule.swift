/// The rule by which a step changes parameters.
public protocol OptimizerRule: Part {
  /// The learning rate that a schedule multiplies, above 0.
  var learningRate: Double { get }

  /// Returns a fresh optimiser, with its state, for some parameters.
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer
}

extension SlotKey where Role == any OptimizerRule {
  /// The slot of optimisers.
  public static var optimizer: Self { Self(.optimizer) }
}

extension Contribution {
  /// Returns an optimiser as a contribution, made from a component.
  public static func optimizer<C: OptimizerRule & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.optimizer, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
