import LatentKit

/// The feature reconstruction loss (Zemouri 2020, eq. 9): `Σ α_i E ‖F_i − F*_i‖²` over the first hidden layers of the
/// encoder, for the inputs and for their reconstructions.
///
/// - Shapes: features `[batch, …]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the encoder shows no features, or fewer than there are weights.
public struct FeatureReconstruction: Loss, Component {
  /// How the squared differences of a layer's values become one number; over examples it is always the mean.
  public enum ValueReduction: String, Choice { case mean, sum }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("alpha: the weight of each hidden layer, from the first.", .atLeast(0).each(count: 1...64))
    public var weights = [1.0, 0.1, 0.01]
    @Setting("Over the values of one layer: their mean, or their sum as a squared norm has it.")
    public var reduction = ValueReduction.mean
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    if let encoder = context.encoder, !(encoder is any FeatureEncoder) {
      throw RecipeError("\(context.title) compares hidden layers, and the encoder shows none; choose another encoder")
    }
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (given, made) = (try forward.features, try forward.reconstructionFeatures)
    guard given.count >= config.weights.count else {
      throw RecipeError(
        "loss 'feature-reconstruction' has \(config.weights.count) weights, and the encoder \(given.count) hidden "
          + "layers; set losses.feature-reconstruction.weights to as many or fewer")
    }
    let layers = zip(config.weights, zip(given, made)).map { (weight: $0, given: $1.0, made: $1.1) }
    let count = try Double(forward.inputs.size(0))
    let parts = try layers.map { layer in
      let error =
        try config.reduction == .mean
        ? layer.made.squaredError(layer.given) : layer.made.squaredError(layer.given, .sum) / count
      return try error * layer.weight
    }
    let whole = try parts.dropFirst().reduce(parts[0]) { try $0 + $1 }
    let term = Term.perExample("feature-reconstruction", whole: whole, over: .all) {
      let errors = try layers.map { layer in
        let squares = try layer.made.squaredError(layer.given, .none).flattened()
        return try (config.reduction == .mean ? squares.mean(axis: 1) : squares.sum(axis: 1)) * layer.weight
      }
      return try errors.dropFirst().reduce(errors[0]) { try $0 + $1 }
    }
    return [term]
  }
}
