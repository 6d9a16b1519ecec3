import Foundation
import Testing
import Torch

/// Images or weights as plain numbers, for the loops that layers are checked against.
struct Plain {
  var shape: [Int]
  var values: [Double]

  init(_ shape: [Int]) {
    self.shape = shape
    values = [Double](repeating: 0, count: shape.reduce(1, *))
  }

  init(_ tensor: Tensor) throws {
    shape = tensor.shape
    values = try tensor.doubles()
  }

  private func place(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Int {
    ((a * shape[1] + b) * shape[2] + c) * shape[3] + d
  }

  subscript(a: Int, b: Int, c: Int, d: Int) -> Double {
    get { values[place(a, b, c, d)] }
    set { values[place(a, b, c, d)] = newValue }
  }

  /// Zero outside of the image.
  func padded(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Double {
    c >= 0 && d >= 0 && c < shape[2] && d < shape[3] ? self[a, b, c, d] : 0
  }

  /// Calls `body` with all four indices of each place.
  static func forEach(_ shape: [Int], _ body: (Int, Int, Int, Int) -> Void) {
    for a in 0..<shape[0] {
      for b in 0..<shape[1] { for c in 0..<shape[2] { for d in 0..<shape[3] { body(a, b, c, d) } } }
    }
  }

  func convolved(_ weight: Plain, bias: [Double]? = nil, stride: Int, padding: Int) -> Plain {
    let size = weight.shape[2]
    func length(_ input: Int) -> Int { (input + 2 * padding - size) / stride + 1 }
    var result = Plain([shape[0], weight.shape[0], length(shape[2]), length(shape[3])])
    Plain.forEach(result.shape) { n, output, y, x in
      var sum = bias?[output] ?? 0
      for channel in 0..<shape[1] {
        for i in 0..<size {
          for j in 0..<size {
            sum +=
              padded(n, channel, y * stride - padding + i, x * stride - padding + j) * weight[output, channel, i, j]
          }
        }
      }
      result[n, output, y, x] = sum
    }
    return result
  }

  /// Each input value lays a copy of the kernel, times itself, onto the output.
  func convolvedTransposed(_ weight: Plain, bias: [Double]?, stride: Int, padding: Int) -> Plain {
    let size = weight.shape[2]
    func length(_ input: Int) -> Int { (input - 1) * stride + size - 2 * padding }
    var result = Plain([shape[0], weight.shape[1], length(shape[2]), length(shape[3])])
    Plain.forEach(result.shape) { n, output, y, x in result[n, output, y, x] = bias?[output] ?? 0 }
    Plain.forEach(shape) { n, channel, y, x in
      for output in 0..<weight.shape[1] {
        for i in 0..<size {
          for j in 0..<size {
            let (row, column) = (y * stride - padding + i, x * stride - padding + j)
            guard row >= 0, column >= 0, row < result.shape[2], column < result.shape[3] else { continue }
            result[n, output, row, column] += self[n, channel, y, x] * weight[channel, output, i, j]
          }
        }
      }
    }
    return result
  }

  /// Mean and (biased) variance of each channel, over images `[n, c, h, w]`.
  func channelMoments() -> (means: [Double], variances: [Double]) {
    let count = Double(shape[0] * shape[2] * shape[3])
    var means = [Double](repeating: 0, count: shape[1])
    var variances = means
    Plain.forEach(shape) { n, c, y, x in means[c] += self[n, c, y, x] / count }
    Plain.forEach(shape) { n, c, y, x in
      variances[c] += (self[n, c, y, x] - means[c]) * (self[n, c, y, x] - means[c]) / count
    }
    return (means, variances)
  }

  func normalised(
    means: [Double], variances: [Double], weight: [Double], bias: [Double], epsilon: Double, residual: Plain? = nil,
    relu: Bool = false
  ) -> Plain {
    var result = Plain(shape)
    Plain.forEach(shape) { n, c, y, x in
      let value = (self[n, c, y, x] - means[c]) / (variances[c] + epsilon).squareRoot() * weight[c] + bias[c]
      let sum = value + (residual?[n, c, y, x] ?? 0)
      result[n, c, y, x] = relu ? max(sum, 0) : sum
    }
    return result
  }
}

func maximumDifference(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { most, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(most, difference)
  }
}

func maximumDifference(_ a: Tensor, _ b: Plain) throws -> Double {
  a.shape == b.shape ? maximumDifference(try a.doubles(), b.values) : .infinity
}

func maximumDifference(_ a: Tensor, _ b: Tensor) throws -> Double {
  a.shape == b.shape ? maximumDifference(try a.doubles(), try b.doubles()) : .infinity
}

/// Normal draws that depend on the seed alone, Float64 unless asked otherwise.
func draws(_ shape: [Int], seed: UInt64, dtype: DType = .float64) throws -> Tensor {
  var generator = try Generator(seed: seed)
  return try generator.normal(shape, dtype: dtype)
}

/// How the elements of a tensor lie in memory.
enum Layout: String, CaseIterable {
  case contiguous, channelsLast, strided

  func apply(_ tensor: Tensor) throws -> Tensor {
    switch self {
    case .contiguous: tensor
    case .channelsLast: tensor.rank == 4 ? try tensor.channelsLast() : tensor
    // Every second element of a larger tensor along the last axis: neither layout.
    case .strided:
      try Tensor.stack([tensor, tensor.filled(with: 99)], axis: -1).select(0, axis: -1)
    }
  }
}

/// The largest difference between gradients and central finite differences, relative to the derivative where that is
/// larger than 1. The leaves, in Float64, are moved in place; the result of `body` is reduced with fixed weights.
///
/// - Parameter directions: Compare along so many random directions of each leaf instead of along every coordinate.
func gradientError(
  _ leaves: [Tensor], directions: Int? = nil, step: Double = 1e-5, _ body: () throws -> Tensor
) throws -> Double {
  for leaf in leaves { try leaf.requiringGradient() }
  func scalar() throws -> Tensor {
    let result = try body()
    return try (result * draws(result.shape, seed: 99)).sum()
  }
  let gradients = try scalar().gradients(by: leaves)

  var worst = 0.0
  for (index, leaf) in leaves.enumerated() {
    let gradient = try #require(gradients[index], "input \(index) has no gradient")
    #expect(gradient.shape == leaf.shape)
    let (slopes, start) = try (gradient.doubles(), leaf.doubles())
    func compare(_ change: [Double]) throws {
      func moved(_ sign: Double) throws -> Double {
        try leaf.copyInPlace(Tensor(zip(start, change).map { $0 + sign * step * $1 }, shape: leaf.shape))
        return try withoutGradients { try scalar().item() }
      }
      let measured = try (moved(1) - moved(-1)) / (2 * step)
      let expected = zip(slopes, change).reduce(0) { $0 + $1.0 * $1.1 }
      let error = abs(measured - expected) / max(1, abs(expected))
      worst = error.isNaN ? .infinity : max(worst, error)
    }
    for place in 0..<(directions ?? start.count) {
      if directions == nil {
        try compare(start.indices.map { $0 == place ? 1 : 0 })
      } else {
        try compare(draws([start.count], seed: UInt64(1000 + place)).doubles())
      }
    }
    try leaf.copyInPlace(Tensor(start, shape: leaf.shape))
  }
  return worst
}

/// Runs `body` in a folder of its own, which is removed afterwards.
func inTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("torch-tests-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
