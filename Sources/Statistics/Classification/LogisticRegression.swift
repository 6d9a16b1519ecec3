import LatentKit

/// Multinomial logistic regression with an L2 penalty of the weights and none of the biases, in Float64 on the CPU: the minimum of
/// `½ ‖W‖² + C Σ_i −log softmax(W x_i + b)_{y_i}`, as scikit-learn's `LogisticRegression` has it.
///
/// It is found by L-BFGS on that sum divided by `C n`.
public struct LogisticRegression: Sendable {
  /// `[dimensions, classes]`.
  public let weights: Tensor
  /// `[classes]`.
  public let biases: Tensor
  /// Iterations done.
  public let iterations: Int
  /// Whether the gradient's largest entry fell below the search's tolerance.
  public let hasConverged: Bool

  /// - Parameters:
  ///   - features: `[count, dimensions]`, at least one.
  ///   - labels: `[count]`, from 0 to `classes − 1`.
  ///   - c: The inverse strength of the penalty, above 0.
  ///   - search: How the minimum is found.
  /// - Throws: `TensorError` for other shapes, and for values that are not finite.
  public init(_ features: Tensor, labels: Tensor, classes: Int, c: Double = 1, search: LBFGS = LBFGS()) throws {
    guard features.rank == 2, features.shape[0] > 0, labels.shape == [features.shape[0]], c > 0 else {
      throw TensorError(
        "logistic regression", shapes: [features.shape, labels.shape],
        reason: "expected features [count, dimensions] with a label each, and C above 0, found \(c)")
    }
    guard try features.isFinite().all() else {
      throw TensorError("logistic regression", shapes: [features.shape], reason: "found values that are not finite")
    }
    let x = try features.detached().to(.float64, .cpu)
    let transposed = try x.transposed()
    let (count, dimensions) = (Double(x.shape[0]), x.shape[1])
    let labels = try labels.to(.int64, .cpu)
    let members = try labels.oneHot(classes).to(.float64)
    let split = dimensions * classes
    func weights(_ place: Tensor) throws -> Tensor { try place.slice(0..<split).reshaped([dimensions, classes]) }
    func biases(_ place: Tensor) throws -> Tensor { try place.slice(split..<(split + classes)) }

    let minimum = try withoutGradients {
      try search.minimum(from: .zeros([split + classes], dtype: .float64)) { place in
        let w = try weights(place)
        let logs = try (x.matmul(w) + biases(place)).logSoftmax(axis: 1)
        let errors = try (logs.exp() - members) / count
        let penalty = 1 / (c * count)
        let value = try (logs * members).sum().item() / -count + 0.5 * penalty * w.square().sum().item()
        let slopes = try transposed.matmul(errors) + w * penalty
        return (value, try .concatenate([slopes.reshaped([split]), errors.sum(axis: 0)]))
      }
    }
    self.weights = try weights(minimum.place)
    self.biases = try biases(minimum.place)
    (iterations, hasConverged) = (minimum.iterations, minimum.hasConverged)
  }

  /// Returns the class of each row of features `[count, dimensions]`, `[count]` Int64.
  public func classes(of features: Tensor) throws -> Tensor {
    try (features.detached().to(.float64, .cpu).matmul(weights) + biases).argmax(axis: 1)
  }
}
