import CTorch

/// How precisely layers with weights compute while a model is trained: matrix products and convolutions.
///
/// Their parameters and those parameters' gradients are Float32 in each. Batch normalisation takes half-precision inputs, and sums
/// in Float32; what half precision is too coarse for, such as exponentials and means, is computed in Float32.
public enum Precision: String, Sendable, CaseIterable {
  /// Float32: 24 bits.
  case float32
  /// Float32 with factors of products rounded to 11 bits, on GPUs that have it: forward, and Float32 backward.
  case tf32
  /// BFloat16, the range of Float32 with 8 bits, forward and backward: no scaling of losses is needed.
  case bf16

  /// Runs `body` with layers computing so on this thread.
  public func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
    switch self {
    case .float32: return try body()
    case .tf32:
      _ = ct_allow_tf32(true)
      defer { _ = ct_allow_tf32(false) }
      return try body()
    case .bf16:
      guard !ct_begin_reduced(CT_BF16) else { return try body() }
      defer { ct_end_reduced() }
      return try body()
    }
  }

  /// Whether a device can.
  public func isAvailable(on device: Device) -> Bool {
    switch self {
    case .float32: true
    case .tf32: device.kind == .cuda
    case .bf16: device.kind != .mps
    }
  }

  /// How many times as fast as in Float32 a convolution is on a device: measured on a CPU, in a few milliseconds, since what
  /// processors with the instructions gain differs, and some lose. 1 where nothing is measured.
  public func gain(on device: Device) -> Double {
    guard self == .bf16, device.kind == .cpu else { return 1 }
    return ct_convolution_seconds(CT_F32, device.c) / ct_convolution_seconds(CT_BF16, device.c)
  }
}
