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
