import CTorch
import Foundation

/// An n-dimensional array of libtorch: an owned handle, freed with the last reference.
///
/// Operations return new tensors and throw `TensorError` where shapes, types or devices do not fit. Axes may be
/// negative. Operations whose name ends in `InPlace` change the receiver; they serve optimisers and running state.
public final class Tensor: @unchecked Sendable {
  /// The `ct_tensor` for native code; valid for the lifetime of this object.
  public let handle: OpaquePointer

  init(owning handle: OpaquePointer) { self.handle = handle }

  deinit { ct_free(handle) }

  /// Wraps the result of a C call that returns a `ct_tensor`, which may belong to a plugin's library (built on CTorch's bridge).
  /// The operands stay alive until after the call; their shapes are read only on failure.
  ///
  /// - Throws: `TensorError` with the operation, the operands' shapes and the last message of CTorch where the call returns NULL.
  @inline(__always)
  public static func make(
    _ operation: String, _ operands: @autoclosure () -> [Tensor?], _ body: () -> OpaquePointer?
  ) throws -> Tensor {
    guard let handle = body() else { throw TensorError.last(operation, operands()) }
    return Tensor(owning: handle)
  }

  // MARK: Properties

  /// The number of axes.
  public var rank: Int { Int(ct_rank(handle)) }
  /// The number of elements.
  public var count: Int { Int(ct_count(handle)) }

  /// The lengths of the axes.
  public var shape: [Int] {
    [Int](unsafeUninitializedCapacity: rank) { buffer, count in
      count = buffer.count
      buffer.withMemoryRebound(to: Int64.self) { ct_sizes(handle, $0.baseAddress) }
    }
  }

  /// Returns the length of one axis; -1 is the last.
  ///
  /// - Throws: `TensorError` where there is no such axis.
  public func size(_ axis: Int) throws -> Int {
    let shape = shape
    let index = axis < 0 ? axis + shape.count : axis
    guard shape.indices.contains(index) else {
      let expected = shape.isEmpty ? "a scalar has none" : "expected \(-shape.count) to \(shape.count - 1)"
      throw TensorError("size", shapes: [shape], reason: "found axis \(axis), \(expected)")
    }
    return shape[index]
  }

  /// The element type.
  public var dtype: DType {
    switch ct_dtype_of(handle) {
    case 1: .float64
    case 2: .int64
    case 3: .uint8
    case 4: .bool
    case 5: .bfloat16
    case 6: .float16
    default: .float32
    }
  }

  /// The device that holds the elements.
  public var device: Device { Device(ct_device_of(handle)) }
  /// Whether operations on it are recorded for gradients.
  public var requiresGradient: Bool { ct_requires_grad(handle) }
  /// Whether images are laid out with channels last in memory.
  public var isChannelsLast: Bool { ct_is_channels_last(handle) }

  // MARK: Creation

  /// Creates a tensor from Swift values, in row-major order.
  public convenience init<Element: TensorElement>(_ values: [Element], shape: [Int]? = nil) throws {
    let shape = shape ?? [values.count]
    guard elementCount(shape) == values.count else {
      throw TensorError("tensor", shapes: [shape], reason: "found \(values.count) values")
    }
    self.init(owning: try values.withUnsafeBytes { try Tensor.take(bytes: $0, shape, Element.dtype) })
  }

  /// Creates a tensor from raw little-endian bytes, in row-major order, of exactly the shape's size.
  public convenience init(bytes: Data, shape: [Int], dtype: DType) throws {
    guard bytes.count % dtype.byteCount == 0, elementCount(shape) == bytes.count / dtype.byteCount else {
      throw TensorError(
        "tensor", shapes: [shape], reason: "found \(bytes.count) bytes, expected \(dtype.byteCount) for each element")
    }
    self.init(owning: try bytes.withUnsafeBytes { try Tensor.take(bytes: $0, shape, dtype) })
  }

  private static func take(bytes: UnsafeRawBufferPointer, _ shape: [Int], _ dtype: DType) throws -> OpaquePointer {
    let handle = shape.withInt64 { ct_from_bytes(bytes.baseAddress, $0, $1, dtype.c) }
    guard let handle else { throw TensorError.last("tensor", []) }
    return handle
  }

  /// Creates a tensor of one value.
  public static func full(
    _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try make("full", []) { shape.withInt64 { ct_full($0, $1, value, dtype.c, device.c) } }
  }

  /// Creates a tensor of zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try full(shape, 0, dtype: dtype, device: device)
  }

  /// Creates a tensor of ones.
  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try full(shape, 1, dtype: dtype, device: device)
  }

  /// Creates a tensor of rank 0.
  public static func scalar(_ value: Double, dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try full([], value, dtype: dtype, device: device)
  }

  /// Creates the integers from `start` up to, not including, `end`.
  public static func range(_ start: Int, _ end: Int, dtype: DType = .int64, device: Device = .cpu) throws -> Tensor {
    try make("range", []) { ct_arange(Double(start), Double(end), 1, dtype.c, device.c) }
  }

  /// Creates `count` evenly spaced numbers from `start` to `end`, both included.
  public static func linspace(
    _ start: Double, _ end: Double, count: Int, dtype: DType = .float32, device: Device = .cpu
  ) throws -> Tensor {
    try make("linspace", []) { ct_linspace(start, end, Int64(count), dtype.c, device.c) }
  }

  /// Creates an identity matrix `[size, size]`.
  public static func identity(_ size: Int, dtype: DType = .float32, device: Device = .cpu) throws -> Tensor {
    try make("identity", []) { ct_eye(Int64(size), dtype.c, device.c) }
  }

  /// Returns a tensor of the same shape, type and device with one value.
  public func filled(with value: Double) throws -> Tensor {
    try .make("filled", [self]) { ct_full_like(handle, value) }
  }

  // MARK: Reading

  /// Returns the elements in row-major order.
  ///
  /// - Throws: `TensorError` where `type` is not the tensor's element type.
  public func array<Element: TensorElement>(_ type: Element.Type = Element.self) throws -> [Element] {
    guard dtype == Element.dtype else {
      throw TensorError(
        "array", shapes: [shape], reason: "found \(dtype.rawValue), asked for \(Element.dtype.rawValue)")
    }
    let count = count
    return try [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      try Tensor.check("array", [self]) { ct_copy_out(handle, bytes.baseAddress, count * Element.dtype.byteCount) }
      filled = count
    }
  }

  /// Returns the elements as Float, from any type.
  public func floats() throws -> [Float] { try to(.float32).array() }
  /// Returns the elements as Double, from any type.
  public func doubles() throws -> [Double] { try to(.float64).array() }
  /// Returns the elements as Int; fractions are cut off.
  public func ints() throws -> [Int] { try to(.int64).array(Int64.self).map(Int.init) }

  /// Returns the elements' bytes, row-major, little-endian.
  public func bytes() throws -> Data {
    var data = Data(count: count * dtype.byteCount)
    try data.withUnsafeMutableBytes { buffer in
      try Tensor.check("bytes", [self]) { ct_copy_out(handle, buffer.baseAddress, buffer.count) }
    }
    return data
  }

  /// Returns the value of a tensor of one element; throws for any other count.
  public func item() throws -> Double {
    var value = 0.0
    try Tensor.check("item", [self]) { ct_item_double(handle, &value) }
    return value
  }

  // MARK: Type, device and layout

  /// Returns the values as another type.
  public func to(_ dtype: DType) throws -> Tensor { try to(dtype, device) }
  /// Returns the values on another device.
  public func to(_ device: Device) throws -> Tensor { try to(dtype, device) }
  /// Returns the values as another type on another device; the tensor itself where neither changes.
  public func to(_ dtype: DType, _ device: Device) throws -> Tensor {
    try .make("to \(dtype.rawValue) on \(device)", [self]) { ct_to(handle, dtype.c, device.c) }
  }

  /// Returns images `[batch, channels, height, width]` laid out with channels last in memory, the fastest for convolutions.
  public func channelsLast() throws -> Tensor { try .make("channelsLast", [self]) { ct_channels_last(handle) } }

  /// Returns the elements contiguous in row-major order.
  public func contiguous() throws -> Tensor { try .make("contiguous", [self]) { ct_contiguous(handle) } }
  /// Returns a copy with memory of its own.
  public func clone() throws -> Tensor { try .make("clone", [self]) { ct_clone(handle) } }
  /// Returns the same values without their record for gradients.
  public func detached() throws -> Tensor { try .make("detached", [self]) { ct_detach(handle) } }
}

/// Returns the product of the lengths; nil where it overflows or a length is negative.
private func elementCount(_ shape: [Int]) -> Int? {
  if shape.contains(where: { $0 < 0 }) { return nil }
  if shape.contains(0) { return 0 }
  return shape.reduce(1) { count, length in
    guard let (product, overflow) = count?.multipliedReportingOverflow(by: length), !overflow else { return nil }
    return product
  }
}

extension Array where Element == Int {
  @inline(__always)
  func withInt64<Result>(_ body: (UnsafePointer<Int64>?, Int32) throws -> Result) rethrows -> Result {
    try withUnsafeBufferPointer { buffer in
      // Int is 64 bits wide on every platform of this package.
      try buffer.withMemoryRebound(to: Int64.self) { try body($0.baseAddress, Int32(count)) }
    }
  }
}

extension Array where Element == Tensor {
  @inline(__always)
  func withHandles<Result>(_ body: (UnsafePointer<OpaquePointer?>?, Int32) throws -> Result) rethrows -> Result {
    let handles: [OpaquePointer?] = map(\.handle)
    defer { withExtendedLifetime(self) {} }
    return try handles.withUnsafeBufferPointer { try body($0.baseAddress, Int32(count)) }
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String {
    let values = count <= 16 ? (try? doubles()).map { " \($0)" } ?? "" : ""
    return "Tensor(\(shape), \(dtype.rawValue), \(device))\(values)"
  }
}
