import LatentKit

/// Multinomial logistic regression with an L2 penalty of the weights and none of the biases, in Float64 on the CPU: the minimum of
/// `½ ‖W‖² + C Σ_i −log softmax(W x_i + b)_{y_i}`, as scikit-learn's `LogisticRegression` has it.
///
/// It is found by L-BFGS on that sum divided by `C n`, in coordinates `u` with `W = V u/s`: along the principal directions `V` of the
/// features, scaled by what is about the root of the curvature there. They change the way to the minimum and not the minimum: pixels
/// take some hundred steps in place of thousands.
public struct LogisticRegression: Sendable {
  /// Features up to this length are turned; the eigenvectors of more would take too long.
  private static let turnedDimensions = 4096

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
    let (count, dimensions) = (Double(x.shape[0]), x.shape[1])
    let penalty = 1 / (c * count)
    let coordinates = try Coordinates(of: x, penalty: penalty, classes: classes)
    let turned = try coordinates.turn(x)
    let transposed = try turned.transposed()
    let members = try labels.to(.int64, .cpu).oneHot(classes).to(.float64)
    let split = dimensions * classes
    func slopes(_ place: Tensor) throws -> Tensor { try place.slice(0..<split).reshaped([dimensions, classes]) }
    func offsets(_ place: Tensor) throws -> Tensor { try place.slice(split..<(split + classes)) }

    let minimum = try withoutGradients {
      try search.minimum(from: .zeros([split + classes], dtype: .float64)) { place in
        let u = try slopes(place)
        let logs = try (turned.matmul(u) + offsets(place)).logSoftmax(axis: 1)
        let errors = try (logs.exp() - members) / count
        let held = try u * coordinates.stiffness
        let value = try (logs * members).sum().item() / -count + 0.5 * (held * u).sum().item()
        let gradient = try transposed.matmul(errors) + held
        return (value, try .concatenate([gradient.reshaped([split]), errors.sum(axis: 0)]))
      }
    }
    weights = try coordinates.turnBack(slopes(minimum.place))
    biases = try offsets(minimum.place) - coordinates.mean.unsqueezed(0).matmul(weights).squeezed(0)
    (iterations, hasConverged) = (minimum.iterations, minimum.hasConverged)
  }

  /// The coordinates of the search.
  private struct Coordinates {
    /// `[dimensions]`.
    let mean: Tensor
    /// What the penalty is along each direction, `[dimensions, 1]`.
    let stiffness: Tensor
    /// Orthonormal columns; nil for the axes themselves.
    private let directions: Tensor?
    /// `[dimensions]`.
    private let scale: Tensor

    init(of x: Tensor, penalty: Double, classes: Int) throws {
      let variances: Tensor
      if x.shape[1] <= turnedDimensions {
        let moments = try Moments(of: x)
        let (values, vectors) = try moments.covariance.symmetricEigen()
        (mean, variances, directions) = (moments.mean, values, vectors)
      } else {
        (mean, directions) = (try x.mean(axis: 0), nil)
        variances = try x.variance(axes: [0], unbiased: false)
      }
      // The curvature of the cross entropy where all classes are as likely.
      let curvature = (1 - 1 / Double(classes)) / Double(classes)
      scale = try (variances.clamped(0) * curvature + penalty).sqrt()
      stiffness = try (penalty / scale.square()).unsqueezed(1)
    }

    /// Returns features in these coordinates, `[count, dimensions]`.
    func turn(_ x: Tensor) throws -> Tensor {
      let offsets = try x - mean
      return try (directions.map { try offsets.matmul($0) } ?? offsets) / scale
    }

    /// Returns weights of features, given those of the coordinates, `[dimensions, classes]`.
    func turnBack(_ weights: Tensor) throws -> Tensor {
      let scaled = try weights / scale.unsqueezed(1)
      return try directions.map { try $0.matmul(scaled) } ?? scaled
    }
  }

  /// Returns the class of each row of features `[count, dimensions]`, `[count]` Int64.
  public func classes(of features: Tensor) throws -> Tensor {
    try (features.detached().to(.float64, .cpu).matmul(weights) + biases).argmax(axis: 1)
  }
}
