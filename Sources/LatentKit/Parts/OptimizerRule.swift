/// The rule by which a step changes parameters.
public protocol OptimizerRule: Part {
  /// The learning rate that a schedule multiplies, above 0.
  var learningRate: Double { get }

  /// A fresh optimiser, with its state, for some parameters.
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer
}

extension SlotKey where Role == any OptimizerRule {
  /// The key of the slot `optimizer` in a catalog.
  public static var optimizer: Self { Self(.optimizer) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `optimizer`.
  public static func optimizer<C: OptimizerRule & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.optimizer, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
