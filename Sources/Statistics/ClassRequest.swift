import LatentKit

/// The part of a draw request that is about one class, with the training latents of that class: for samplers that fit a
/// density to each class.
public struct ClassRequest: Sendable {
  /// Nil where latents have no labels: then there is one request for everything.
  public let label: Int?
  /// `[count, latent]`.
  public let training: Tensor
  /// Places in the whole draw, `[draws]` Int64.
  public let places: Tensor

  /// - Parameters:
  ///   - label: The class; nil for data without labels.
  ///   - training: Training latents of the class, `[count, latent]`, at least one.
  ///   - places: Places of the draws in the whole draw, `[draws]` Int64.
  public init(label: Int?, training: Tensor, places: Tensor) {
    (self.label, self.training, self.places) = (label, training, places)
  }

  /// The number of draws requested.
  public var count: Int { places.count }

  /// Its name in messages.
  public var name: String { label.map { "class \($0)" } ?? "the data" }

  /// Returns the draws of all requests, `[count, latent]` each, as one tensor in the requested order.
  public static func merge(_ draws: [Tensor], of requests: [ClassRequest]) throws -> Tensor {
    let order = try Tensor.concatenate(requests.map(\.places)).sorted(axis: 0).indices
    let all = try Tensor.concatenate(draws)
    return try all.rows(order.to(all.device))
  }
}

extension DrawRequest {
  /// Returns the request taken apart by class. Where it names no classes, they are drawn as often as they occur in training.
  ///
  /// - Parameter sampler: The sampler's name in messages.
  /// - Throws: `RecipeError` where there are no training latents, of a requested class or at all, or where one is
  ///   not finite.
  public func byClass(for sampler: String, using generator: inout Generator) throws -> [ClassRequest] {
    let reference = try requireReference(for: sampler).withLabels()
    guard try reference.latents.isFinite().all() else {
      throw RecipeError(
        "sampler '\(sampler)' found training latents that are not finite; the encoder diverged: train it at a lower rate"
      )
    }
    guard let known = try reference.labels?.to(.cpu) else {
      if labels != nil {
        throw RecipeError(
          "sampler '\(sampler)' cannot draw by class, as the training latents have no labels; choose a labelled dataset"
        )
      }
      return [ClassRequest(label: nil, training: reference.latents, places: try .range(0, count))]
    }
    let wanted = try labels?.to(.cpu) ?? known.rows(generator.integers(0..<known.count, [count]).to(.cpu))
    return try Set(wanted.ints()).sorted().map { label in
      let training = try reference.latents.rows(
        (known .== Double(label)).nonzero().squeezed(1).to(reference.latents.device))
      guard try training.size(0) > 0 else {
        throw RecipeError(
          "sampler '\(sampler)' has no training latents of class \(label) to learn from; ask for classes that the data have"
        )
      }
      return ClassRequest(
        label: label, training: training, places: try (wanted .== Double(label)).nonzero().squeezed(1))
    }
  }
}
