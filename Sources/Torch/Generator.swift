import CTorch

/// A seeded source of random draws. It is a value: a copy is independent, and draws the same numbers.
///
/// Pass it on as `inout`: no draw of LatentKit comes from anywhere else, so a seed fixes everything a run does.
public struct Generator: @unchecked Sendable {
  private final class Storage {
    let handle: OpaquePointer
    init(_ handle: OpaquePointer) { self.handle = handle }
    deinit { ct_generator_free(handle) }
  }

  private var storage: Storage
  /// The device that draws are made on.
  public let device: Device

  /// Creates a generator.
  ///
  /// - Throws: `TensorError` where the device is not available.
  public init(seed: UInt64, device: Device = .cpu) throws {
    guard let handle = ct_generator_new(device.c, seed) else { throw TensorError.last("generator on \(device)", []) }
    storage = Storage(handle)
    self.device = device
  }

  /// Creates a generator for one named use of a seed. Different names give unrelated streams, so that adding a part to a model
  /// changes nothing about the others.
  public init(seed: UInt64, for name: String, device: Device = .cpu) throws {
    try self.init(seed: Generator.seed(seed, for: name), device: device)
  }

  /// Mixes a name into a seed: FNV-1a over the name, then the SplitMix64 finaliser. Stays below 2^53, which every
  /// backend accepts.
  public static func seed(_ seed: UInt64, for name: String) -> UInt64 {
    var mixed: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { mixed = (mixed ^ UInt64(byte)) &* 0x100_0000_01b3 }
    mixed &+= seed &* 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return (mixed ^ (mixed >> 31)) >> 11
  }

  private mutating func unique() throws -> OpaquePointer {
    if !isKnownUniquelyReferenced(&storage) {
      guard let copy = ct_generator_copy(storage.handle) else { throw TensorError.last("generator copy", []) }
      storage = Storage(copy)
    }
    return storage.handle
  }

  /// The state that the next draws depend on, as bytes, for checkpoints.
  public var state: Tensor {
    get throws { try Tensor.make("generator state", []) { ct_generator_state(storage.handle) } }
  }

  /// Restores a `state`.
  ///
  /// - Throws: `TensorError` for a state that is not of a generator of this device.
  public mutating func restore(_ state: Tensor) throws {
    let handle = try unique()
    try Tensor.check("generator restore", [state]) { ct_generator_restore(handle, state.handle) }
  }

  // MARK: Draws

  /// Draws standard normal values.
  public mutating func normal(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    let (handle, device) = (try unique(), device)
    return try .make("normal", []) { shape.withInt64 { ct_randn($0, $1, dtype.c, device.c, handle) } }
  }

  /// Draws uniform values from `[0, 1)`.
  public mutating func uniform(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    let (handle, device) = (try unique(), device)
    return try .make("uniform", []) { shape.withInt64 { ct_rand($0, $1, dtype.c, device.c, handle) } }
  }

  /// Draws integers uniformly from a range, Int64.
  public mutating func integers(_ range: Range<Int>, _ shape: [Int]) throws -> Tensor {
    let (handle, device) = (try unique(), device)
    return try .make("integers", []) {
      shape.withInt64 { ct_randint(Int64(range.lowerBound), Int64(range.upperBound), $0, $1, device.c, handle) }
    }
  }

  /// Draws a random order of the numbers `0 ..< count`, Int64.
  public mutating func permutation(_ count: Int) throws -> Tensor {
    let (handle, device) = (try unique(), device)
    return try .make("permutation", []) { ct_randperm(Int64(count), device.c, handle) }
  }

  /// Draws ones with the given probabilities, else zeros, in their type.
  public mutating func bernoulli(_ probabilities: Tensor) throws -> Tensor {
    let handle = try unique()
    return try .make("bernoulli", [probabilities]) { ct_bernoulli(probabilities.handle, handle) }
  }

  /// Draws indices in proportion to weights (a vector, or each row of a matrix), Int64.
  public mutating func choices(_ weights: Tensor, count: Int, replacing: Bool = true) throws -> Tensor {
    let handle = try unique()
    return try .make("choices", [weights]) { ct_multinomial(weights.handle, Int64(count), replacing, handle) }
  }
}
