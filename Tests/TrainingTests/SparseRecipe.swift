import Datasets
import Training

/// Running statistics, drawn codes, and weights that are projected, masked and rewound.
enum SparseRecipe {
  static let float32 = """
    seed: 7
    data: mnist
    encoder: {use: conv, with: {latent: 6, widths: [3, 4], code: gaussian}}
    decoder: {use: mlp, with: {hidden: [12]}}
    prior: standard-normal
    stages:
      - name: dense
        epochs: 2
        batch: 64
        train: [encoder, decoder]
        losses: [{use: mse, with: {reduction: sum}}, kl]
        optimizer: adam
        then: [{project: {use: small-to-zero, with: {threshold: 0.05}, parameters: [encoder, decoder]}}, mask, rewind]
      - {name: sparse, epochs: 2, batch: 64, train: [encoder, decoder], losses: [mse, kl], optimizer: {use: sgd, with: {learningRate: 0.01}}}
    """

  /// The same with a divergence that comes in over an epoch and a half, some of its bits free.
  static let annealed = float32.replacing(
    ", kl]\n", with: ", {use: annealed-kl, with: {warmUp: 1.5, freeBits: 0.01}}]\n")

  /// The same with layers that compute in half precision.
  static let half = "precision: bf16\n" + float32

  /// The same in Float16, whose first steps are left out: the gradients of so large a loss leave its range.
  static let scaled =
    "precision: float16\n"
    + float32.replacing("{use: mse, with: {reduction: sum}}", with: "{use: mse, weight: 100, with: {reduction: sum}}")

  /// Digits that are shifted and flipped.
  static func augmented() throws -> TrainingData {
    var settings = DataSettings()
    (settings.shift, settings.flip) = (2, true)
    return try digits(train: 150, validation: 20, settings: settings)
  }
}
