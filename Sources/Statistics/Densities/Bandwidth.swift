import Foundation
import LatentKit

/// The width of the kernels of a density estimate, as a factor of the deviations that their shape has.
public enum Bandwidth: Codable, Equatable, Sendable {
  /// `n^(−1/(d + 4))` (Scott 1992).
  case scott
  /// `(n (d + 2)/4)^(−1/(d + 4))` (Silverman 1986).
  case silverman
  /// The factor under which points that were left out are likeliest (`CrossValidation`).
  case crossValidated
  /// This factor, above 0.
  case factor(Double)

  /// Returns the factor for `count` points of `dimensions` dimensions; nil where it takes a search.
  public func factor(count: Int, dimensions: Int) -> Double? {
    let (n, d) = (Double(count), Double(dimensions))
    return switch self {
    case .scott: pow(n, -1 / (d + 4))
    case .silverman: pow(n * (d + 2) / 4, -1 / (d + 4))
    case .crossValidated: nil
    case .factor(let factor): factor
    }
  }

  private static let words: KeyValuePairs = [
    "scott": Self.scott, "silverman": .silverman, "cross-validated": .crossValidated,
  ]

  /// From one of the words above or a number.
  public init(from decoder: any Swift.Decoder) throws {
    self = try numberOrWord(from: decoder, number: Self.factor, words: Self.words)
  }

  /// As one of the words above or a number.
  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .factor(let factor) = self { return try container.encode(factor) }
    try container.encode(Self.words.first { $0.value == self }?.key ?? "scott")
  }
}

/// The shape of a kernel: the matrix `Σ` that the squared bandwidth multiplies.
public enum KernelShape: String, Choice {
  /// The covariance of the points, as SciPy's `gaussian_kde` has it.
  case full
  /// The variances of the points.
  case diagonal
  /// The mean variance of the points in all directions.
  case scalar
  /// 1 in all directions: the bandwidth is the width itself, as scikit-learn's `KernelDensity` has it.
  case identity

  /// Returns `Σ`, Float64, for points of a covariance `[dimensions, dimensions]`, Float64.
  public func matrix(_ covariance: Tensor) throws -> Tensor {
    let identity = try Tensor.identity(covariance.size(0), dtype: .float64)
    return switch self {
    case .full: covariance
    case .diagonal: try covariance * identity
    case .scalar: try identity * covariance.diagonal().mean().item()
    case .identity: identity
    }
  }
}
