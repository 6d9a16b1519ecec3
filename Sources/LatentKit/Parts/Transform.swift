/// Changes rows of numbers before they reach other parts: centring, scaling, filling in what is missing.
///
/// It is fitted on the training part alone, so that nothing about validation and test examples leaks into training.
public protocol Transform: Part {
  /// Fits the transform.
  ///
  /// - Parameter inputs: The training examples as the transforms before this one left them, `[count, features]`, Float32.
  /// - Throws: `RecipeError` where it cannot be fitted on these.
  func fit(_ inputs: Tensor) throws -> any FittedTransform
}

/// A transform fitted on the training part, a value.
public protocol FittedTransform: Sendable {
  /// The fitted parameters by name; `[features]` each.
  var parameters: [String: Tensor] { get }

  /// The least and greatest value it can give; nil where there are no bounds.
  var outputRange: ClosedRange<Double>? { get }

  /// Returns the transformed inputs, `[count, features]`, whatever part of the data they come from.
  func apply(_ inputs: Tensor) throws -> Tensor

  /// Returns transformed rows in their former units, approximately where `apply` loses information.
  func invert(_ outputs: Tensor) throws -> Tensor
}

extension FittedTransform {
  /// Nil: no bounds.
  public var outputRange: ClosedRange<Double>? { nil }
}

extension SlotKey where Role == any Transform {
  /// The slot of transforms.
  public static var transform: Self { Self(.transform) }
}

extension Contribution {
  /// Returns a transform as a contribution, made from a component.
  public static func transform<C: Transform & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.transform, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}

/// Transforms one after the other, each fitted on what those before it made of the training part.
public struct TransformChain: Sendable {
  /// The fitted transforms with their names, first to last.
  public let links: [(name: String, transform: any FittedTransform)]

  /// Fits the transforms in order.
  ///
  /// - Parameter inputs: The training examples, `[count, features]`, Float32; NaN where a value is missing.
  /// - Throws: `RecipeError` where a transform cannot be fitted.
  public init(_ transforms: [(name: String, transform: any Transform)], fittedOn inputs: Tensor) throws {
    var links: [(name: String, transform: any FittedTransform)] = []
    var rows = inputs
    for (name, transform) in transforms {
      let fitted = try transform.fit(rows)
      rows = try fitted.apply(rows)
      links.append((name, fitted))
    }
    self.links = links
  }

  /// The range of what comes out; nil where there are no bounds, or no transforms.
  public var outputRange: ClosedRange<Double>? { links.last?.transform.outputRange }

  /// Returns rows of the data in the model's units.
  public func apply(_ inputs: Tensor) throws -> Tensor {
    try links.reduce(inputs) { try $1.transform.apply($0) }
  }

  /// Returns rows in the model's units in those of the data.
  public func invert(_ outputs: Tensor) throws -> Tensor {
    try links.reversed().reduce(outputs) { try $1.transform.invert($0) }
  }
}
