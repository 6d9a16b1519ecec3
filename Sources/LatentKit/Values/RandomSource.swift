/// A stream of random draws that is lent: to losses, metrics, noises and codes by the pass that they belong to.
///
/// Each draw advances the stream, whoever holds it. A draw is over before it returns, so that its arguments may read
/// anything, the pass's own latents included: `forward.random.normal(forward.latents.shape)`.
public final class RandomSource {
  /// Where the stream stands: what a checkpoint keeps.
  public var generator: Generator

  /// Creates a stream that goes on where the generator stands.
  public init(_ generator: Generator) { self.generator = generator }

  /// The device that draws are made on.
  public var device: Device { generator.device }

  /// Standard normal draws.
  public func normal(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try generator.normal(shape, dtype: dtype)
  }

  /// Uniform draws from `[0, 1)`.
  public func uniform(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try generator.uniform(shape, dtype: dtype)
  }

  /// Whole numbers of a range, Int64.
  public func integers(_ range: Range<Int>, _ shape: [Int]) throws -> Tensor { try generator.integers(range, shape) }

  /// The numbers `0 ..< count` in random order, Int64.
  public func permutation(_ count: Int) throws -> Tensor { try generator.permutation(count) }

  /// Ones with the given probabilities, else zeros, in their type.
  public func bernoulli(_ probabilities: Tensor) throws -> Tensor { try generator.bernoulli(probabilities) }

  /// Indices drawn in proportion to weights (rows of a matrix, or a vector), Int64.
  public func choices(_ weights: Tensor, count: Int, replacing: Bool = true) throws -> Tensor {
    try generator.choices(weights, count: count, replacing: replacing)
  }

  /// A generator of its own, whose seed is the next draw of this stream: for calls that take one `inout`, such as a
  /// prior's `draw`.
  public func fork() throws -> Generator {
    let seed = try generator.integers(0..<(1 << 52), [1]).ints()[0]
    return try Generator(seed: UInt64(seed), device: device)
  }
}
