/// Changes rows of numbers before they reach other parts: centring, scaling, filling in what is missing.
///
/// It is fitted on the training part alone, so that nothing about validation and test examples leaks into training.
public protocol Transform: Part {
  /// Fits the transform.
  ///
  /// - Parameter inputs: The training examples as the transforms before this one left them, `[count, features]`, Float32.
  /// - Throws: `RecipeError` where it cannot be fitted on these.
  func fit(_ inputs: Tensor) throws -> any FittedTransform

  /// Returns what was fitted before, for a run that is used where its data are not.
  ///
  /// - Parameter parameters: Those of a fitted transform of the same settings.
  /// - Throws: `RecipeError` where one of them is missing.
  func restore(_ parameters: FittedParameters) throws -> any FittedTransform
}

/// The parameters of a fitted transform, as a run keeps them.
public struct FittedParameters: Sendable {
  /// The title of the transform in messages.
  private let title: String
  private let values: [String: Tensor]

  /// - Parameter values: The parameters by name, `[features]` each.
  public init(of title: String, _ values: [String: Tensor]) { (self.title, self.values) = (title, values) }

  /// - Throws: `RecipeError` where the parameter is missing.
  public func callAsFunction(_ name: String) throws -> Tensor {
    guard let found = values[name] else {
      let known = values.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw RecipeError(
        "\(title) was fitted without a parameter '\(name)': found \(known.isEmpty ? "none" : known); it is of another version"
      )
    }
    return found
  }
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

  /// No transforms.
  public init() { links = [] }

  /// Restores transforms that were fitted before.
  ///
  /// - Parameter parameters: Those of all of them, as `parameters` gives them.
  /// - Throws: `RecipeError` where a transform lacks one of its own.
  public init(
    _ transforms: [(name: String, transform: any Transform)], restoredFrom parameters: [String: Tensor]
  ) throws {
    links = try transforms.enumerated().map { index, link in
      let prefix = "\(index).\(link.name)."
      let own = parameters.filter { $0.key.hasPrefix(prefix) }.map { ($0.key.dropFirst(prefix.count), $0.value) }
      let fitted = FittedParameters(
        of: "transform '\(link.name)'", Dictionary(uniqueKeysWithValues: own.map { (String($0), $1) }))
      return (link.name, try link.transform.restore(fitted))
    }
  }

  /// Returns what the transforms were fitted to, by place and name, on the CPU: `0.center.mean`.
  public func parameters() throws -> [String: Tensor] {
    var all: [String: Tensor] = [:]
    for (index, link) in links.enumerated() {
      for (name, values) in link.transform.parameters { all["\(index).\(link.name).\(name)"] = try values.to(.cpu) }
    }
    return all
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
