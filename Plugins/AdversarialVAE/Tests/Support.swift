import AdversarialVAE
import LatentKit

/// What a part is built in: images of 1x8x8 unless said otherwise, Float64.
func context(
  latent: Int = 3, classes: Int? = 4, shape: [Int] = [1, 8, 8], encoder: (any Encoder)? = nil, path: String = "part",
  store: ParameterStore = ParameterStore(), training: Bool = false, dtype: DType = .float64
) throws -> BuildContext {
  let scope = try Scope(path: path, store: store, seed: 1, dtype: dtype)
  scope.mode.isTraining = training
  return BuildContext(
    inputShape: shape, inputRange: 0...1, classCount: classes, latentSize: latent, scope: scope, title: "part 'tested'",
    encoder: encoder)
}
