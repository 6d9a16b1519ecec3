import CTorch

/// An operation that libtorch refused, with the shapes of its operands.
public struct TensorError: Error, CustomStringConvertible, Equatable {
  /// The operation.
  public let operation: String
  /// The shapes of its operands.
  public let shapes: [[Int]]
  /// The reason: found, expected.
  public let reason: String

  /// Creates an error about an operation.
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

extension Tensor {
  /// Wraps a call that looks up Int64 indices from 0 to `count - 1`. libtorch's own refusal names neither the index that is
  /// out of range nor the range; both are determined after a failure only.
  static func make(
    _ operation: String, _ operands: @autoclosure () -> [Tensor?],
    lookingUp subject: @autoclosure () -> (name: String, indices: Tensor, count: Int?), _ body: () -> OpaquePointer?
  ) throws -> Tensor {
    if let handle = body() { return Tensor(owning: handle) }
    let error = TensorError.last(operation, operands())
    let (name, indices, count) = subject()
    guard let count, indices.dtype == .int64,
      let outside = try? indices.ints().first(where: { $0 < 0 || $0 >= count })
    else { throw error }
    let expected =
      count == 0
      ? "found \(name) \(outside), expected none, as there is nothing to choose from"
      : "found \(name) \(outside), expected 0 to \(count - 1)"
    throw TensorError(operation, shapes: error.shapes, reason: expected)
  }
}

extension Tensor {
  /// Turns the status of a C call, 0 where it succeeded, into a throw; the call may belong to a plugin's library (built on
  /// CTorch's bridge). The operands stay alive until after the call; their shapes are read only on failure.
  ///
  /// - Throws: `TensorError` with the operation, the operands' shapes and the last message of CTorch for another status than 0.
  @inline(__always)
  public static func check(
    _ operation: String, _ operands: @autoclosure () -> [Tensor?] = [], _ body: () -> Int32
  ) throws {
    if body() != 0 { throw TensorError.last(operation, operands()) }
  }
}
