import Foundation
import LatentKit

/// How wide the kernels of a density estimate are, as a factor of the standard deviations of the data.
public enum Bandwidth: Codable, Equatable, Sendable {
  /// `n^(−1/(d + 4))` (Scott 1992).
  case scott
  /// `(n (d + 2)/4)^(−1/(d + 4))` (Silverman 1986).
  case silverman
  case factor(Double)

  /// The factor for `count` points of `dimensions` dimensions.
  func factor(count: Int, dimensions: Int) -> Double {
    let (n, d) = (Double(count), Double(dimensions))
    return switch self {
    case .scott: pow(n, -1 / (d + 4))
    case .silverman: pow(n * (d + 2) / 4, -1 / (d + 4))
    case .factor(let factor): factor
    }
  }

  public init(from decoder: any Swift.Decoder) throws {
    self = try numberOrWord(from: decoder, number: Self.factor, words: ["scott": .scott, "silverman": .silverman])
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .scott: try container.encode("scott")
    case .silverman: try container.encode("silverman")
    case .factor(let factor): try container.encode(factor)
    }
  }
}

/// How a chain proposes its next place.
public enum Proposal: Codable, Equatable, Sendable {
  /// `N(0, s² Σ)` with the covariance of the class, and `s` tuned in the warm-up to a target acceptance rate.
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

private func numberOrWord<Choice>(
  from decoder: any Swift.Decoder, number: (Double) -> Choice, words: KeyValuePairs<String, Choice>
) throws -> Choice {
  let container = try decoder.singleValueContainer()
  if let value = try? container.decode(Double.self) { return number(value) }
  let known = words.map(\.key)
  guard let word = try? container.decode(String.self) else {
    let expected = known.joined(separator: ", ")
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected \(expected) or a number")
  }
  guard let choice = words.first(where: { $0.key == word })?.value else {
    let unknown = UnknownName(word, among: known, of: "value").description
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(unknown) A number is fine too.")
  }
  return choice
}
