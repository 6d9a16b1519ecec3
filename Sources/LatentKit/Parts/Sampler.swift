/// Draws latents to decode.
public protocol Sampler: Part {
  /// Returns as many latents as requested.
  ///
  /// - Parameter generator: On the device of the model.
  /// - Throws: `RecipeError` where the sampler cannot draw with this prior or these training latents.
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw
}

/// A sampler that does not work with every prior, as it checks before training.
public protocol SelectiveSampler: Sampler {
  /// Checks the prior.
  ///
  /// - Throws: `RecipeError` where the sampler cannot draw with this prior.
  func check(_ prior: any Prior) throws
}

/// A sampler that draws from its own estimate of the training latents, as one by kernels or by a Gaussian does: draws have the
/// moments of the latents, and may leave the bounds of the prior's density. Every other sampler claims that its draws follow that
/// density, and is checked for it.
public protocol EstimatingSampler: Sampler {}

extension SlotKey where Role == any Sampler {
  /// The slot of samplers.
  public static var sampler: Self { Self(.sampler) }
}

extension Contribution {
  /// Returns a sampler as a contribution, made from a component.
  public static func sampler<C: Sampler & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.sampler, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
