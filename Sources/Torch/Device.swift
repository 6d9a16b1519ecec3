import CTorch

/// The device that holds a tensor: `cpu`, `cuda:0`, `mps`.
public struct Device: Sendable, Hashable, CustomStringConvertible {
  /// The kind of a device.
  public enum Kind: String, Sendable, CaseIterable { case cpu, cuda, mps }

  /// The kind of device.
  public let kind: Kind
  /// The number of the device among those of its kind, from 0.
  public let index: Int

  /// Creates the name of a device; `isAvailable` says whether this machine has it.
  public init(_ kind: Kind, index: Int = 0) {
    self.kind = kind
    self.index = index
  }

  /// Reads `cpu`, `cuda`, `cuda:1` or `mps`; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(parts[0])), parts.count <= 2 else { return nil }
    let index = parts.count == 2 ? Int(parts[1]) : 0
    guard let index, (0..<128).contains(index) else { return nil }  // libtorch counts devices in a byte
    self.init(kind, index: index)
  }

  /// The CPU.
  public static let cpu = Device(.cpu)
  /// The first CUDA device.
  public static let cuda = Device(.cuda)
  /// Apple's Metal device.
  public static let mps = Device(.mps)

  /// Waits until a GPU has done what it was told to; a CPU always has.
  ///
  /// - Throws: `TensorError` for a device that is not there, or for an operation that failed on it.
  public func synchronize() throws { try Tensor.check("synchronize") { ct_synchronize(c) } }

  /// Whether libtorch can use the device here.
  public var isAvailable: Bool { ct_has_device(c) }

  /// The best device available: CUDA, else MPS, else the CPU.
  public static var best: Device { [.cuda, .mps].first(where: \.isAvailable) ?? .cpu }

  public var description: String { index == 0 ? kind.rawValue : "\(kind.rawValue):\(index)" }

  var c: ct_device {
    let type: ct_device_type =
      switch kind {
      case .cpu: CT_CPU
      case .cuda: CT_CUDA
      case .mps: CT_MPS
      }
    return ct_device(type: type, index: Int32(clamping: index))
  }

  init(_ device: ct_device) {
    switch device.type {
    case CT_CUDA: self.init(.cuda, index: Int(device.index))
    case CT_MPS: self.init(.mps, index: Int(device.index))
    default: self.init(.cpu)
    }
  }
}

/// The element types that LatentKit works with.
public enum DType: String, Sendable, CaseIterable {
  case float32, float64, int64, uint8, bool, bfloat16, float16

  /// The size of one element in bytes.
  public var byteCount: Int {
    switch self {
    case .float32: 4
    case .float64, .int64: 8
    case .bfloat16, .float16: 2
    case .uint8, .bool: 1
    }
  }

  /// Whether elements are floating-point numbers.
  public var isFloatingPoint: Bool { self == .float32 || self == .float64 || isHalf }

  /// Whether elements are floating-point numbers of 16 bits.
  public var isHalf: Bool { self == .bfloat16 || self == .float16 }

  var c: ct_dtype {
    switch self {
    case .float32: CT_F32
    case .float64: CT_F64
    case .int64: CT_I64
    case .uint8: CT_U8
    case .bool: CT_BOOL
    case .bfloat16: CT_BF16
    case .float16: CT_F16
    }
  }
}

/// A Swift type that a tensor's elements can be read as.
public protocol TensorElement: Sendable {
  /// The element type of tensors that hold such values.
  static var dtype: DType { get }
}
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension Bool: TensorElement { public static var dtype: DType { .bool } }

/// The libtorch that this program runs on.
public enum Torch {
  /// The version of libtorch, `2.9.0` say.
  public static var version: String { String(cString: ct_version()) }

  /// The number of threads that one operation may use, 1 or more.
  public static var threadCount: Int {
    get { Int(ct_get_threads()) }
    set { _ = ct_set_threads(Int32(clamping: max(newValue, 1))) }
  }

  /// Takes numbers below the normal range (1e-38 in Float32) as zero, on this thread and those that its operations use. A processor
  /// is some hundred times slower with them, and moments of gradients that have become zero, those of a picture's empty edge say, pass
  /// through them for hundreds of steps.
  public static func flushSubnormals() { ct_flush_subnormals() }

  /// Lets the C allocator keep large freed blocks: a training step frees and takes the same ones again, and giving them
  /// back to the system in between costs a page fault per 4 KiB. For programs, not for libraries.
  public static func keepLargeBlocks() { ct_keep_large_blocks() }

  /// Whether GPUs may round what matrix products and convolutions in Float32 multiply: within `Precision.tf32` alone.
  public static var allowsTF32: Bool { ct_allows_tf32() }

  /// Chooses algorithms that give the same bits each time, on any device.
  public static func setDeterministic(_ on: Bool) { ct_set_deterministic(on) }
}
