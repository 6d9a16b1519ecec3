import CTorch

// Element by element, with broadcasting.

extension Tensor {
  /// Returns the sum, value by value, with broadcasting.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor { try make("+", [a, b]) { ct_add(a.handle, b.handle) } }
  /// Returns the difference, value by value, with broadcasting.
  public static func - (a: Tensor, b: Tensor) throws -> Tensor { try make("-", [a, b]) { ct_sub(a.handle, b.handle) } }
  /// Returns the product, value by value, with broadcasting.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor { try make("*", [a, b]) { ct_mul(a.handle, b.handle) } }
  /// Returns the quotient, value by value, with broadcasting.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor { try make("/", [a, b]) { ct_div(a.handle, b.handle) } }

  /// Returns the sum of each value and a number.
  public static func + (a: Tensor, b: Double) throws -> Tensor { try make("+", [a]) { ct_add_scalar(a.handle, b) } }
  /// Returns the difference of each value and a number.
  public static func - (a: Tensor, b: Double) throws -> Tensor { try make("-", [a]) { ct_add_scalar(a.handle, -b) } }
  /// Returns the product of each value and a number.
  public static func * (a: Tensor, b: Double) throws -> Tensor { try make("*", [a]) { ct_mul_scalar(a.handle, b) } }
  /// Returns the quotient of each value and a number.
  public static func / (a: Tensor, b: Double) throws -> Tensor { try make("/", [a]) { ct_div_scalar(a.handle, b) } }
  /// Returns the sum of each value and a number.
  public static func + (a: Double, b: Tensor) throws -> Tensor { try make("+", [b]) { ct_add_scalar(b.handle, a) } }
  /// Returns the difference of each value and a number.
  public static func - (a: Double, b: Tensor) throws -> Tensor { try make("-", [b]) { ct_rsub_scalar(b.handle, a) } }
  /// Returns the product of each value and a number.
  public static func * (a: Double, b: Tensor) throws -> Tensor { try make("*", [b]) { ct_mul_scalar(b.handle, a) } }
  /// Returns the quotient of each value and a number.
  public static func / (a: Double, b: Tensor) throws -> Tensor { try make("/", [b]) { ct_rdiv_scalar(b.handle, a) } }
  public static prefix func - (a: Tensor) throws -> Tensor { try make("-", [a]) { ct_neg(a.handle) } }

  /// Returns absolute values.
  public func abs() throws -> Tensor { try .make("abs", [self]) { ct_abs(handle) } }
  /// Returns exponentials.
  public func exp() throws -> Tensor { try .make("exp", [self]) { ct_exp(handle) } }
  /// Returns natural logarithms.
  public func log() throws -> Tensor { try .make("log", [self]) { ct_log(handle) } }
  /// Returns `log(1 + x)`.
  public func log1p() throws -> Tensor { try .make("log1p", [self]) { ct_log1p(handle) } }
  /// Returns square roots.
  public func sqrt() throws -> Tensor { try .make("sqrt", [self]) { ct_sqrt(handle) } }
  /// Returns `1 / √x`.
  public func rsqrt() throws -> Tensor { try .make("rsqrt", [self]) { ct_rsqrt(handle) } }
  /// Returns squares.
  public func square() throws -> Tensor { try .make("square", [self]) { ct_square(handle) } }
  /// Returns `1 / x`.
  public func reciprocal() throws -> Tensor { try .make("reciprocal", [self]) { ct_reciprocal(handle) } }
  /// Returns signs: -1, 0 or 1.
  public func sign() throws -> Tensor { try .make("sign", [self]) { ct_sign(handle) } }
  /// Returns error functions.
  public func erf() throws -> Tensor { try .make("erf", [self]) { ct_erf(handle) } }
  /// Returns inverse error functions.
  public func inverseErf() throws -> Tensor { try .make("inverseErf", [self]) { ct_erfinv(handle) } }
  /// Returns values rounded down.
  public func floor() throws -> Tensor { try .make("floor", [self]) { ct_floor(handle) } }
  /// Returns sines.
  public func sin() throws -> Tensor { try .make("sin", [self]) { ct_sin(handle) } }
  /// Returns cosines.
  public func cos() throws -> Tensor { try .make("cos", [self]) { ct_cos(handle) } }
  /// Returns arc cosines.
  public func acos() throws -> Tensor { try .make("acos", [self]) { ct_acos(handle) } }
  /// Returns `1 / (1 + exp(-x))`.
  public func sigmoid() throws -> Tensor { try .make("sigmoid", [self]) { ct_sigmoid(handle) } }
  /// Returns hyperbolic tangents.
  public func tanh() throws -> Tensor { try .make("tanh", [self]) { ct_tanh(handle) } }
  /// Returns `max(x, 0)`.
  public func relu() throws -> Tensor { try .make("relu", [self]) { ct_relu(handle) } }
  /// Returns `log(1 + exp(x))`.
  public func softplus() throws -> Tensor { try .make("softplus", [self]) { ct_softplus(handle) } }
  /// Returns whether values are finite, Bool.
  public func isFinite() throws -> Tensor { try .make("isFinite", [self]) { ct_isfinite(handle) } }
  /// Returns whether values are not numbers, Bool.
  public func isNaN() throws -> Tensor { try .make("isNaN", [self]) { ct_isnan(handle) } }
  /// Returns the negation of Bool values.
  public func not() throws -> Tensor { try .make("not", [self]) { ct_logical_not(handle) } }
  /// Returns powers.
  public func pow(_ exponent: Double) throws -> Tensor { try .make("pow", [self]) { ct_pow_scalar(handle, exponent) } }
  /// Returns powers.
  public func pow(_ exponent: Tensor) throws -> Tensor {
    try .make("pow", [self, exponent]) { ct_pow(handle, exponent.handle) }
  }
  /// Returns `x` where it is positive, else `slope · x`.
  public func leakyReLU(slope: Double = 0.01) throws -> Tensor {
    try .make("leakyReLU", [self]) { ct_leaky_relu(handle, slope) }
  }
  /// `max(0, x) + slope * min(0, x)`; one slope, or one per channel (axis 1).
  public func prelu(slope: Tensor) throws -> Tensor {
    try .make("prelu", [self, slope]) { ct_prelu(handle, slope.handle) }
  }
  /// Returns values limited to a range.
  public func clamped(_ low: Double = -.infinity, _ high: Double = .infinity) throws -> Tensor {
    try .make("clamped", [self]) { ct_clamp(handle, low, high) }
  }
  /// Returns the greater of two values each.
  public func maximum(_ other: Tensor) throws -> Tensor {
    try .make("maximum", [self, other]) { ct_maximum(handle, other.handle) }
  }
  /// Returns the smaller of two values each.
  public func minimum(_ other: Tensor) throws -> Tensor {
    try .make("minimum", [self, other]) { ct_minimum(handle, other.handle) }
  }
  /// Returns whether both are true, Bool.
  public func and(_ other: Tensor) throws -> Tensor {
    try .make("and", [self, other]) { ct_logical_and(handle, other.handle) }
  }
  /// Returns whether one is true, Bool.
  public func or(_ other: Tensor) throws -> Tensor {
    try .make("or", [self, other]) { ct_logical_or(handle, other.handle) }
  }
  /// `a` where the receiver is true, else `b`.
  public func choose(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try .make("choose", [self, a, b]) { ct_where(handle, a.handle, b.handle) }
  }
  /// Returns the tensor with one value where a mask is true.
  public func filled(with value: Double, where mask: Tensor) throws -> Tensor {
    try .make("filled", [self, mask]) { ct_masked_fill(handle, mask.handle, value) }
  }

  /// Compares value by value, Bool.
  public static func .== (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".==", [a, b]) { ct_eq(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .== (a: Tensor, b: Double) throws -> Tensor { try make(".==", [a]) { ct_eq_scalar(a.handle, b) } }
  /// Compares value by value, Bool.
  public static func .!= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".!=", [a, b]) { ct_ne(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .!= (a: Tensor, b: Double) throws -> Tensor { try make(".!=", [a]) { ct_ne_scalar(a.handle, b) } }
  /// Compares value by value, Bool.
  public static func .< (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".<", [a, b]) { ct_lt(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .< (a: Tensor, b: Double) throws -> Tensor { try make(".<", [a]) { ct_lt_scalar(a.handle, b) } }
  /// Compares value by value, Bool.
  public static func .<= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".<=", [a, b]) { ct_le(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .<= (a: Tensor, b: Double) throws -> Tensor { try make(".<=", [a]) { ct_le_scalar(a.handle, b) } }
  /// Compares value by value, Bool.
  public static func .> (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".>", [a, b]) { ct_gt(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .> (a: Tensor, b: Double) throws -> Tensor { try make(".>", [a]) { ct_gt_scalar(a.handle, b) } }
  /// Compares value by value, Bool.
  public static func .>= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".>=", [a, b]) { ct_ge(a.handle, b.handle) }
  }
  /// Compares value by value, Bool.
  public static func .>= (a: Tensor, b: Double) throws -> Tensor { try make(".>=", [a]) { ct_ge_scalar(a.handle, b) } }
}

// Reductions. No axes means all of them.

extension Tensor {
  /// Returns the sum over some axes, all of them by default.
  public func sum(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("sum", [self]) { axes.withInt64 { ct_sum(handle, $0, $1, keep) } }
  }
  /// Returns the sum over one axis.
  public func sum(axis: Int, keep: Bool = false) throws -> Tensor { try sum(axes: [axis], keep: keep) }
  /// Returns the mean over some axes, all of them by default.
  public func mean(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("mean", [self]) { axes.withInt64 { ct_mean(handle, $0, $1, keep) } }
  }
  /// Returns the mean over one axis.
  public func mean(axis: Int, keep: Bool = false) throws -> Tensor { try mean(axes: [axis], keep: keep) }
  /// Returns the greatest value over some axes, all of them by default.
  public func max(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("max", [self]) { axes.withInt64 { ct_amax(handle, $0, $1, keep) } }
  }
  /// Returns the greatest value over one axis.
  public func max(axis: Int, keep: Bool = false) throws -> Tensor { try max(axes: [axis], keep: keep) }
  /// Returns the least value over some axes, all of them by default.
  public func min(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("min", [self]) { axes.withInt64 { ct_amin(handle, $0, $1, keep) } }
  }
  /// Returns the least value over one axis.
  public func min(axis: Int, keep: Bool = false) throws -> Tensor { try min(axes: [axis], keep: keep) }
  /// Returns `log Σ exp(x)`, without overflow, over some axes, all of them by default.
  public func logSumExp(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("logSumExp", [self]) { axes.withInt64 { ct_logsumexp(handle, $0, $1, keep) } }
  }
  /// Returns `log Σ exp(x)`, without overflow, over one axis.
  public func logSumExp(axis: Int, keep: Bool = false) throws -> Tensor { try logSumExp(axes: [axis], keep: keep) }
  /// Returns the variance over some axes, all of them by default.
  public func variance(axes: [Int] = [], unbiased: Bool = true, keep: Bool = false) throws -> Tensor {
    try .make("variance", [self]) { axes.withInt64 { ct_var(handle, $0, $1, unbiased, keep) } }
  }
  /// Returns the index of the greatest value along an axis, Int64.
  public func argmax(axis: Int) throws -> Tensor { try .make("argmax", [self]) { ct_argmax(handle, Int64(axis)) } }
  /// Returns the index of the least value along an axis, Int64.
  public func argmin(axis: Int) throws -> Tensor { try .make("argmin", [self]) { ct_argmin(handle, Int64(axis)) } }
  /// Returns the running sums along an axis.
  public func cumulativeSum(axis: Int) throws -> Tensor {
    try .make("cumulativeSum", [self]) { ct_cumsum(handle, Int64(axis)) }
  }
  /// `1/n Σ_i (x_i − x̄)(x_{i+lag} − x̄)` for every lag from 0 to `n - 1` along an axis of length `n`.
  public func autocovariance(axis: Int) throws -> Tensor {
    try .make("autocovariance", [self]) { ct_autocovariance(handle, Int64(axis)) }
  }
  /// Returns whether all values are true.
  public func all() throws -> Bool { try Tensor.make("all", [self]) { ct_all(handle) }.item() != 0 }
  /// Returns whether a value is true.
  public func any() throws -> Bool { try Tensor.make("any", [self]) { ct_any(handle) }.item() != 0 }

  /// Sorted values and the places they came from; equal values keep their order.
  public func sorted(axis: Int = -1, descending: Bool = false) throws -> (values: Tensor, indices: Tensor) {
    try Tensor.pair("sorted", [self]) { ct_sort(handle, Int64(axis), descending, $0, $1) }
  }

  static func pair(
    _ operation: String, _ operands: @autoclosure () -> [Tensor],
    _ body: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<OpaquePointer?>) -> Int32
  ) throws -> (Tensor, Tensor) {
    var first: OpaquePointer?
    var second: OpaquePointer?
    guard body(&first, &second) == 0, let first, let second else { throw TensorError.last(operation, operands()) }
    return (Tensor(owning: first), Tensor(owning: second))
  }
}
