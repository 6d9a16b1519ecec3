/// Changes rows of numbers before any part sees them: centring, scaling, filling in what is missing.
///
/// It is fitted to the training part alone, so that nothing about validation and test examples leaks
/// into what is trained.
public protocol Transform: Part {
  /// - Parameter inputs: The training examples as the transforms before this one left them, `[count, features]`, Float32.
  /// - Throws: `RecipeError` where these cannot be learned from.
  func fit(_ inputs: Tensor) throws -> any FittedTransform
}

/// A transform that has seen the training part. It is a value: applying it changes nothing.
public protocol FittedTransform: Sendable {
  /// The fitted values, by name; `[features]` each.
  var parameters: [String: Tensor] { get }

  /// The least and greatest value it can give; nil where there are no bounds.
  var outputRange: ClosedRange<Double>? { get }

  /// The transformed inputs, `[count, features]`, whatever part of the data they come from.
  func apply(_ inputs: Tensor) throws -> Tensor

  /// Takes transformed rows back to the units they had before; as near as can be, where `apply` loses something.
  func invert(_ outputs: Tensor) throws -> Tensor
}

extension FittedTransform {
  /// Nil: no bounds.
  public var outputRange: ClosedRange<Double>? { nil }
}

extension SlotKey where Role == any Transform {
  /// The key of the slot `transform` in a catalog.
  public static var transform: Self { Self(.transform) }
}

extension Contribution {
  /// Returns the contribution of a component to the slot `transform`.
  public static func transform<C: Transform & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.transform, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}

/// Transforms one after the other, each fitted on what those before it made of the training part.
public struct TransformChain: Sendable {
  /// The fitted transforms with their names, first to last.
  public let links: [(name: String, transform: any FittedTransform)]

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

  /// Returns rows of the data in the model's units, `[count, features]`.
  public func apply(_ inputs: Tensor) throws -> Tensor {
    try links.reduce(inputs) { try $1.transform.apply($0) }
  }

  /// Takes rows in the model's units back to those of the data.
  public func invert(_ outputs: Tensor) throws -> Tensor {
    try links.reversed().reduce(outputs) { try $1.transform.invert($0) }
  }
}
