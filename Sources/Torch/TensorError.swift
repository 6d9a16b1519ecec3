import CTorch

/// An operation that libtorch refused, with the shapes it was given.
public struct TensorError: Error, CustomStringConvertible, Equatable {
  public let operation: String
  public let shapes: [[Int]]
  public let reason: String

  public init(_ operation: String, shapes: [[Int]] = [], reason: String) {
    self.operation = operation
    self.shapes = shapes
    self.reason = reason
  }

  public var description: String {
    let operands = shapes.isEmpty ? "" : " of " + shapes.map { "\($0)" }.joined(separator: " and ")
    return "\(operation)\(operands): \(reason)"
  }

  static func last(_ operation: String, _ operands: [Tensor?]) -> TensorError {
    TensorError(operation, shapes: operands.compactMap { $0?.shape }, reason: String(cString: ct_last_error()))
  }
}

/// Turns a status of the C interface into a throw. The operands are only looked at after a failure.
@inline(__always)
func check(_ operation: String, _ operands: @autoclosure () -> [Tensor?] = [], _ body: () -> Int32) throws {
  if body() != 0 { throw TensorError.last(operation, operands()) }
}
