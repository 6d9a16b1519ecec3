import Foundation
import LatentKit

/// Returns whether two lists of tensors have the same shapes, types and bits.
func sameBits(_ one: [Tensor], _ other: [Tensor]) throws -> Bool {
  guard one.count == other.count else { return false }
  return try zip(one, other).allSatisfy { a, b in
    try a.shape == b.shape && a.dtype == b.dtype && a.contiguous().bytes() == b.contiguous().bytes()
  }
}

/// Returns whether values agree to a share of their size; NaN and infinity agree with themselves.
func agree(_ one: Tensor, _ other: Tensor, within tolerance: Double) throws -> Bool {
  guard one.shape == other.shape else { return false }
  let (a, b) = (try one.contiguous().doubles(), try other.contiguous().doubles())
  let scale = max(1, a.filter(\.isFinite).map(abs).max() ?? 0)
  return zip(a, b).allSatisfy { x, y in
    x == y || (x.isNaN && y.isNaN) || abs(x - y) <= tolerance * scale
  }
}

/// Returns whether all values are finite.
func areFinite(_ tensors: [Tensor]) throws -> Bool { try tensors.allSatisfy { try $0.isFinite().all() } }

/// Returns copies of the values of parameters.
func snapshot(_ parameters: [Parameter]) throws -> [Tensor] { try parameters.map { try $0.tensor.detached().clone() } }

/// Returns one number made of tensors: the sum of their values, each times a fixed random factor.
func projection(of tensors: [Tensor], seed: UInt64) throws -> Tensor {
  var generator = try Generator(seed: seed, for: "projection of checks")
  var total: Tensor?
  for tensor in tensors {
    let factors = try generator.normal(tensor.shape).to(tensor.dtype, tensor.device)
    let part = try (tensor * factors).sum()
    total = try total.map { try $0 + part } ?? part
  }
  guard let total else { throw Fault("there is no output") }
  return total
}

/// Compares the gradient of a number with central differences along random directions.
///
/// - Parameters:
///   - tensors: What the number depends on, Float64; changed in place and put back.
///   - value: Computes the number anew, the same at each call.
/// - Returns: Nil where they agree along most directions; else the last two numbers that do not.
func gradientFault(
  by tensors: [Tensor], seed: UInt64, precision: DType = .float64, _ value: () throws -> Tensor
) throws -> (gradient: Double, difference: Double)? {
  let gradients = try value().gradients(by: tensors)
  guard gradients.contains(where: { $0 != nil }) else { return nil }
  let moved = zip(tensors, gradients).compactMap { tensor, gradient in gradient.map { (tensor, $0) } }
  var generator = try Generator(seed: seed, for: "directions of checks")
  var faults: [(Double, Double)] = []
  for _ in 0..<3 {
    var directions: [Tensor] = []
    var slope = 0.0
    for (tensor, gradient) in moved {
      let direction = try generator.normal(tensor.shape).to(tensor.dtype, tensor.device)
      directions.append(direction)
      slope += try (gradient * direction).sum().item()
    }
    func at(_ distance: Double) throws -> Double {
      let before = try moved.map { try $0.0.detached().clone() }
      for (index, direction) in directions.enumerated() { try moved[index].0.addInPlace(direction, times: distance) }
      defer { for (index, values) in before.enumerated() { try? moved[index].0.copyInPlace(values) } }
      return try withoutGradients { try value() }.item()
    }
    // Units with a kink, as those of ReLU, may pass it on the way: the fewer, the shorter it is.
    var difference = 0.0
    let agrees =
      precision == .float64
      ? try [1e-6, 1e-7, 1e-8].contains { step in
        difference = try (at(step) - at(-step)) / (2 * step)
        return abs(slope - difference) <= 1e-4 * max(1, abs(slope), abs(difference))
      }
      : try [1e-2, 3e-3, 1e-3].contains { step in
        let (above, below) = (try at(step), try at(-step))
        difference = (above - below) / (2 * step)
        // Rounding of the two numbers, and of what they are sums of.
        let rounding = 8 * Double(Float.ulpOfOne) * max(1, abs(above), abs(below)) / step
        return abs(slope - difference) <= 1e-2 * max(abs(slope), abs(difference)) + rounding
      }
    if !agrees { faults.append((slope, difference)) }
  }
  return faults.count >= 2 ? faults.last.map { (gradient: $0.0, difference: $0.1) } : nil
}

/// Returns whether a number changes with tensors: moved a little at random, and put back.
func isMoved(by tensors: [Tensor], seed: UInt64, _ value: () throws -> Tensor) throws -> Bool {
  var generator = try Generator(seed: seed, for: "directions of checks")
  let before = try tensors.map { try $0.detached().clone() }
  defer { for (tensor, values) in zip(tensors, before) { try? tensor.copyInPlace(values) } }
  let start = try withoutGradients(value).item()
  for tensor in tensors {
    try tensor.addInPlace(generator.normal(tensor.shape).to(tensor.dtype, tensor.device), times: 0.01)
  }
  let end = try withoutGradients(value).item()
  return abs(end - start) > 1e-9 * max(1, abs(start))
}

/// A number for reasons: `0.0123`, `1.5e-08`.
func short(_ value: Double) -> String { String(format: "%.4g", value) }
