import Foundation
import LatentKit
import Statistics

/// How a chain proposes its next place.
public enum WalkProposal: Codable, Equatable, Sendable {
  /// `N(0, s² Σ)` with `s` tuned in the warm-up to a target acceptance rate, and the shape `Σ` of the class's kernels, or
  /// the identity where the target is a prior.
  case tuned
  /// `N(0, variance · I)`.
  case variance(Double)

  public init(from decoder: any Swift.Decoder) throws {
    self = try numberOrWord(from: decoder, number: Self.variance, words: ["tuned": .tuned])
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .tuned: try container.encode("tuned")
    case .variance(let variance): try container.encode(variance)
    }
  }
}

/// Which density draws follow.
public enum WalkTarget: String, Choice {
  /// The kernel densities of prior `kde` where the model has it, else those of the training latents. For a class that is
  /// asked for, under a prior that knows none (`perClass: false`), the class's training latents with that prior's settings.
  case auto
  /// Kernel densities of the training latents, with the sampler's own bandwidth.
  case kde
  /// The density of the model's prior, whichever it is for `mh`, prior `kde` for the others; one that knows no classes is the
  /// same for each of them.
  case prior
}

/// Which proposals are taken.
public enum Rule: String, Choice {
  /// With the probability `min(1, p(proposal) / p(place))`: the places follow `p`.
  case metropolis
  /// Where `p(proposal)` is not under a threshold: the places are spread evenly over the level set `p ≥ threshold`.
  case threshold
}

/// The density that a place must have.
public enum Threshold: Codable, Equatable, Sendable {
  case density(Double)
  /// The density that a share of the training latents, 0 to 1, is under.
  case quantile(Double)

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let density = try? container.decode(Double.self) {
      self = .density(density)
    } else if let text = try? container.decode(String.self), text.hasSuffix("%"), let share = Double(text.dropLast()) {
      self = .quantile(share / 100)
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected a density, or a share of the training latents as in 5%")
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .density(let density): try container.encode(density)
    case .quantile(let share): try container.encode("\(numeral(100 * share))%")
    }
  }
}

/// A number without a fraction where it has none.
func numeral(_ value: Double) -> String { value == value.rounded() ? String(format: "%.0f", value) : "\(value)" }
