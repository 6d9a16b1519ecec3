/// A stream of random draws, shared by the losses, metrics, noises and codes of one pass.
///
/// Each draw advances the stream, whoever holds it. A draw is over before it returns, so that its arguments may read
/// anything, the pass's own latents included: `forward.random.normal(forward.latents.shape)`.
public final class RandomSource {
  /// The generator, whose state checkpoints keep.
  public var generator: Generator

  /// Creates a stream from a generator.
  public init(_ generator: Generator) { self.generator = generator }

  /// The device that draws are made on.
  public var device: Device { generator.device }

  /// Draws standard normal values.
  public func normal(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try generator.normal(shape, dtype: dtype)
  }

  /// Draws uniform values from `[0, 1)`.
  public func uniform(_ shape: [Int], dtype: DType = .float32) throws -> Tensor {
    try generator.uniform(shape, dtype: dtype)
  }

  /// Draws integers uniformly from a range, Int64.
  public func integers(_ range: Range<Int>, _ shape: [Int]) throws -> Tensor { try generator.integers(range, shape) }

  /// Draws a random order of the numbers `0 ..< count`, Int64.
  public func permutation(_ count: Int) throws -> Tensor { try generator.permutation(count) }

  /// Draws ones with the given probabilities, else zeros, in their type.
  public func bernoulli(_ probabilities: Tensor) throws -> Tensor { try generator.bernoulli(probabilities) }

  /// Draws indices in proportion to weights (rows of a matrix, or a vector), Int64.
  public func choices(_ weights: Tensor, count: Int, replacing: Bool = true) throws -> Tensor {
    try generator.choices(weights, count: count, replacing: replacing)
  }

  /// Returns an independent generator, whose seed is the next draw of this stream: for calls that take one `inout`, such as a
  /// prior's `draw`.
  public func fork() throws -> Generator {
    let seed = try generator.integers(0..<(1 << 52), [1]).ints()[0]
    return try Generator(seed: UInt64(seed), device: device)
  }
}
