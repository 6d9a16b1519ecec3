import LatentKit

/// Returns the largest difference between the gradient of `f` at `x` and central differences; infinity where `f` has none.
///
/// - Parameters:
///   - f: A function to one number.
///   - x: Any shape, Float64.
///   - step: How far a value is moved either way.
public func gradientError(of f: (Tensor) throws -> Tensor, at x: Tensor, step: Double = 1e-6) throws -> Double {
  let leaf = try x.clone().requiringGradient()
  guard let gradient = try f(leaf).gradients(by: [leaf])[0]?.contiguous().doubles() else { return .infinity }
  var values = try x.contiguous().doubles()
  return try gradient.indices.map { place in
    let value = values[place]
    values[place] = value + step
    let above = try f(Tensor(values, shape: x.shape)).item()
    values[place] = value - step
    let below = try f(Tensor(values, shape: x.shape)).item()
    values[place] = value
    return abs((above - below) / (2 * step) - gradient[place])
  }.max() ?? 0
}

/// Returns what the error of `body` says; `nothing thrown` without one.
public func message(_ body: () throws -> Void) -> String {
  do { try body() } catch { return "\(error)" }
  return "nothing thrown"
}
