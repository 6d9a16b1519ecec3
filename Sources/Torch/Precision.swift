import CTorch

/// How precisely layers with weights compute while a model is trained: matrix products and convolutions.
///
/// Their parameters and those parameters' gradients are Float32 in each. Batch normalisation takes half-precision inputs, and sums
/// in Float32; what half precision is too coarse for, such as exponentials and means, is computed in Float32.
public enum Precision: String, Sendable, CaseIterable {
  /// Float32: 24 bits.
  case float32
  /// Float32 with factors of products rounded to 11 bits, on GPUs that have it: forward and backward.
  case tf32
  /// BFloat16, the range of Float32 with 8 bits, forward and backward: no scaling of losses is needed.
  case bf16
  /// Float16, 11 bits of a narrow range, forward and backward: the loss is scaled while gradients are taken, and the gradients back.
  case float16

  /// Runs `body` with layers computing so on this thread.
  public func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
    switch self {
    case .float32: return try body()
    case .tf32: return try allowingTF32(body)
    case .bf16: return try computing(in: .bfloat16, body)
    case .float16: return try computing(in: .float16, body)
    }
  }

  /// Runs `body`, which takes gradients through layers that computed so.
  public func differentiating<Result>(_ body: () throws -> Result) rethrows -> Result {
    // In half precision what is recorded says in which type gradients are taken.
    self == .tf32 ? try allowingTF32(body) : try body()
  }

  private func allowingTF32<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = ct_allows_tf32()
    _ = ct_allow_tf32(true)
    defer { _ = ct_allow_tf32(before) }
    return try body()
  }

  private func computing<Result>(in dtype: DType, _ body: () throws -> Result) rethrows -> Result {
    guard !ct_begin_reduced(dtype.c) else { return try body() }
    defer { ct_end_reduced() }
    return try body()
  }

  /// Whether losses have to be scaled, since gradients would fall below the range.
  public var scalesLosses: Bool { self == .float16 }

  /// Whether a device can.
  public func isAvailable(on device: Device) -> Bool {
    switch self {
    case .float32: true
    // CPUs have `bf16`, which needs no scaled losses.
    case .tf32, .float16: device.kind == .cuda
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
