/// Maps inputs to latents.
public protocol Encoder: Part {
  /// The length of a latent vector, 1 or more.
  var latentSize: Int { get }

  /// Returns the code of each input.
  ///
  /// - Parameter batch: Inputs `[batch] + inputShape`; with labels only where the encoder `needs` them, as q(z|x, y) does.
  /// - Returns: Latents, or the means and log variances of Gaussians, `[batch, latentSize]`.
  func encode(_ batch: Batch) throws -> Code

  /// The names in the encoder's scope, or the first parts of names, of weights that no code depends on, as losses of this encoder read
  /// them: `logVariance` for `logVariance.weight` and `logVariance.bias`. Every other weight is checked to change the code.
  var weightsOfLosses: [String] { get }
}

extension Encoder {
  /// None.
  public var weightsOfLosses: [String] { [] }
}

/// An encoder whose hidden layers can be read: for losses that compare features instead of pixels.
public protocol FeatureEncoder: Encoder {
  /// Returns the outputs of the hidden layers, first layer first; each `[batch, …]`.
  func features(_ batch: Batch) throws -> [Tensor]

  /// Returns the code together with the outputs of the hidden layers, in one pass.
  func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor])
}

extension FeatureEncoder {
  /// Two passes: an encoder that keeps its hidden layers on the way to the code needs one.
  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    (try encode(batch), try features(batch))
  }
}

extension SlotKey where Role == any Encoder {
  /// The slot of encoders.
  public static var encoder: Self { Self(.encoder) }
}

extension Contribution {
  /// Returns an encoder as a contribution, made from a component.
  public static func encoder<C: Encoder & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.encoder, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
