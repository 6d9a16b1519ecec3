/// Maps latents back to inputs.
public protocol Decoder: Part {
  /// Returns the decoded inputs, `[batch] + inputShape`.
  ///
  /// - Parameter request: Latents `[batch, latent]`; with labels only where the decoder `needs` them. A decoder that does
  ///   is conditioned on the class, and what it makes is shown under class names.
  func decode(_ request: LatentBatch) throws -> Tensor
}

extension SlotKey where Role == any Decoder {
  /// The slot of decoders.
  public static var decoder: Self { Self(.decoder) }
}

extension Contribution {
  /// Returns a decoder as a contribution, made from a component.
  public static func decoder<C: Decoder & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.decoder, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}

/// The function after the last layer of a decoder.
public enum OutputFunction: String, Choice {
  case none, sigmoid, tanh

  /// Returns the function of each value.
  public func callAsFunction(_ values: Tensor) throws -> Tensor {
    switch self {
    case .none: values
    case .sigmoid: try values.sigmoid()
    case .tanh: try values.tanh()
    }
  }
}

/// A decoder that applies a function to each value at its end and shows the values before it: behind a sigmoid, probabilities near 0
/// and 1 have lost their digits, and likelihoods are computed from what comes before.
public protocol ActivatedDecoder: Decoder {
  /// The function.
  var output: OutputFunction { get }

  /// Returns the values before the function, `[batch] + inputShape`.
  ///
  /// - Parameter request: As `decode` has it.
  func preactivations(_ request: LatentBatch) throws -> Tensor
}

extension ActivatedDecoder {
  public func decode(_ request: LatentBatch) throws -> Tensor { try output(preactivations(request)) }
}

/// What a decoder makes of latents.
public enum Decoded {
  /// Decoded inputs, `[batch] + inputShape`.
  case values(Tensor)
  /// The same before a sigmoid.
  case logits(Tensor)

  /// The decoded inputs, `[batch] + inputShape`.
  public var values: Tensor {
    get throws {
      switch self {
      case .values(let values): values
      case .logits(let logits): try logits.sigmoid()
      }
    }
  }
}
