import CTorch

// Element by element, with broadcasting.

extension Tensor {
  /// Returns the element-wise sum of two tensors.
  public static func + (a: Tensor, b: Tensor) throws -> Tensor { try make("+", [a, b]) { ct_add(a.handle, b.handle) } }
  /// Returns the element-wise difference of two tensors.
  public static func - (a: Tensor, b: Tensor) throws -> Tensor { try make("-", [a, b]) { ct_sub(a.handle, b.handle) } }
  /// Returns the element-wise product of two tensors.
  public static func * (a: Tensor, b: Tensor) throws -> Tensor { try make("*", [a, b]) { ct_mul(a.handle, b.handle) } }
  /// Returns the element-wise quotient of two tensors.
  public static func / (a: Tensor, b: Tensor) throws -> Tensor { try make("/", [a, b]) { ct_div(a.handle, b.handle) } }

  /// Returns the sum of each element and a number.
  public static func + (a: Tensor, b: Double) throws -> Tensor { try make("+", [a]) { ct_add_scalar(a.handle, b) } }
  /// Returns the difference of each element and a number.
  public static func - (a: Tensor, b: Double) throws -> Tensor { try make("-", [a]) { ct_add_scalar(a.handle, -b) } }
  /// Returns the product of each element and a number.
  public static func * (a: Tensor, b: Double) throws -> Tensor { try make("*", [a]) { ct_mul_scalar(a.handle, b) } }
  /// Returns the quotient of each element and a number.
  public static func / (a: Tensor, b: Double) throws -> Tensor { try make("/", [a]) { ct_div_scalar(a.handle, b) } }
  /// Returns the sum of a number and each element.
  public static func + (a: Double, b: Tensor) throws -> Tensor { try make("+", [b]) { ct_add_scalar(b.handle, a) } }
  /// Returns the difference of a number and each element.
  public static func - (a: Double, b: Tensor) throws -> Tensor { try make("-", [b]) { ct_rsub_scalar(b.handle, a) } }
  /// Returns the product of a number and each element.
  public static func * (a: Double, b: Tensor) throws -> Tensor { try make("*", [b]) { ct_mul_scalar(b.handle, a) } }
  /// Returns the quotient of a number and each element.
  public static func / (a: Double, b: Tensor) throws -> Tensor { try make("/", [b]) { ct_rdiv_scalar(b.handle, a) } }
  /// Returns each element negated.
  public static prefix func - (a: Tensor) throws -> Tensor { try make("-", [a]) { ct_neg(a.handle) } }

  /// Returns the absolute value of each element.
  public func abs() throws -> Tensor { try .make("abs", [self]) { ct_abs(handle) } }
  /// Returns `e^x` of each element.
  public func exp() throws -> Tensor { try .make("exp", [self]) { ct_exp(handle) } }
  /// Returns the natural logarithm of each element; NaN below 0.
  public func log() throws -> Tensor { try .make("log", [self]) { ct_log(handle) } }
  /// Returns `log(1 + x)` of each element, exact near 0.
  public func log1p() throws -> Tensor { try .make("log1p", [self]) { ct_log1p(handle) } }
  /// Returns the square root of each element; NaN below 0.
  public func sqrt() throws -> Tensor { try .make("sqrt", [self]) { ct_sqrt(handle) } }
  /// Returns `1 / sqrt(x)` of each element.
  public func rsqrt() throws -> Tensor { try .make("rsqrt", [self]) { ct_rsqrt(handle) } }
  /// Returns the square of each element.
  public func square() throws -> Tensor { try .make("square", [self]) { ct_square(handle) } }
  /// Returns `1 / x` of each element.
  public func reciprocal() throws -> Tensor { try .make("reciprocal", [self]) { ct_reciprocal(handle) } }
  /// Returns the sign of each element: -1, 0 or 1.
  public func sign() throws -> Tensor { try .make("sign", [self]) { ct_sign(handle) } }
  /// Returns the error function of each element.
  public func erf() throws -> Tensor { try .make("erf", [self]) { ct_erf(handle) } }
  /// Returns the inverse error function of each element; NaN outside -1 to 1.
  public func inverseErf() throws -> Tensor { try .make("inverseErf", [self]) { ct_erfinv(handle) } }
  /// Returns each element rounded down.
  public func floor() throws -> Tensor { try .make("floor", [self]) { ct_floor(handle) } }
  /// Returns the sine of each element, in radians.
  public func sin() throws -> Tensor { try .make("sin", [self]) { ct_sin(handle) } }
  /// Returns the cosine of each element, in radians.
  public func cos() throws -> Tensor { try .make("cos", [self]) { ct_cos(handle) } }
  /// Returns the arc cosine of each element, 0 to π; NaN outside -1 to 1.
  public func acos() throws -> Tensor { try .make("acos", [self]) { ct_acos(handle) } }
  /// Returns `1 / (1 + e^-x)` of each element.
  public func sigmoid() throws -> Tensor { try .make("sigmoid", [self]) { ct_sigmoid(handle) } }
  /// Returns the hyperbolic tangent of each element.
  public func tanh() throws -> Tensor { try .make("tanh", [self]) { ct_tanh(handle) } }
  /// Returns `max(0, x)` of each element.
  public func relu() throws -> Tensor { try .make("relu", [self]) { ct_relu(handle) } }
  /// Returns `log(1 + e^x)` of each element.
  public func softplus() throws -> Tensor { try .make("softplus", [self]) { ct_softplus(handle) } }
  /// Returns where elements are finite, Bool.
  public func isFinite() throws -> Tensor { try .make("isFinite", [self]) { ct_isfinite(handle) } }
  /// Returns where elements are NaN, Bool.
  public func isNaN() throws -> Tensor { try .make("isNaN", [self]) { ct_isnan(handle) } }
  /// Returns the logical negation, Bool.
  public func not() throws -> Tensor { try .make("not", [self]) { ct_logical_not(handle) } }
  /// Returns each element to the power of a number.
  public func pow(_ exponent: Double) throws -> Tensor { try .make("pow", [self]) { ct_pow_scalar(handle, exponent) } }
  /// Returns each element to the power of the matching element.
  public func pow(_ exponent: Tensor) throws -> Tensor {
    try .make("pow", [self, exponent]) { ct_pow(handle, exponent.handle) }
  }
  /// Returns `max(0, x) + slope * min(0, x)` of each element.
  public func leakyReLU(slope: Double = 0.01) throws -> Tensor {
    try .make("leakyReLU", [self]) { ct_leaky_relu(handle, slope) }
  }
  /// Returns `max(0, x) + slope * min(0, x)`; one slope, or one per channel (axis 1).
  public func prelu(slope: Tensor) throws -> Tensor {
    try .make("prelu", [self, slope]) { ct_prelu(handle, slope.handle) }
  }
  /// Returns each element limited to `low...high`.
  public func clamped(_ low: Double = -.infinity, _ high: Double = .infinity) throws -> Tensor {
    try .make("clamped", [self]) { ct_clamp(handle, low, high) }
  }
  /// Returns the greater of each pair of elements.
  public func maximum(_ other: Tensor) throws -> Tensor {
    try .make("maximum", [self, other]) { ct_maximum(handle, other.handle) }
  }
  /// Returns the smaller of each pair of elements.
  public func minimum(_ other: Tensor) throws -> Tensor {
    try .make("minimum", [self, other]) { ct_minimum(handle, other.handle) }
  }
  /// Returns the element-wise logical "and", Bool.
  public func and(_ other: Tensor) throws -> Tensor {
    try .make("and", [self, other]) { ct_logical_and(handle, other.handle) }
  }
  /// Returns the element-wise logical "or", Bool.
  public func or(_ other: Tensor) throws -> Tensor {
    try .make("or", [self, other]) { ct_logical_or(handle, other.handle) }
  }
  /// Returns `a` where the receiver is true, else `b`.
  public func choose(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    try .make("choose", [self, a, b]) { ct_where(handle, a.handle, b.handle) }
  }
  /// Returns the elements, with `value` where the Bool `mask` is true.
  public func filled(with value: Double, where mask: Tensor) throws -> Tensor {
    try .make("filled", [self, mask]) { ct_masked_fill(handle, mask.handle, value) }
  }

  /// Returns where `a` is equal to `b`, Bool.
  public static func .== (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".==", [a, b]) { ct_eq(a.handle, b.handle) }
  }
  /// Returns where `a` is equal to a number, Bool.
  public static func .== (a: Tensor, b: Double) throws -> Tensor { try make(".==", [a]) { ct_eq_scalar(a.handle, b) } }
  /// Returns where `a` is different from `b`, Bool.
  public static func .!= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".!=", [a, b]) { ct_ne(a.handle, b.handle) }
  }
  /// Returns where `a` is different from a number, Bool.
  public static func .!= (a: Tensor, b: Double) throws -> Tensor { try make(".!=", [a]) { ct_ne_scalar(a.handle, b) } }
  /// Returns where `a` is less than `b`, Bool.
  public static func .< (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".<", [a, b]) { ct_lt(a.handle, b.handle) }
  }
  /// Returns where `a` is less than a number, Bool.
  public static func .< (a: Tensor, b: Double) throws -> Tensor { try make(".<", [a]) { ct_lt_scalar(a.handle, b) } }
  /// Returns where `a` is less than or equal to `b`, Bool.
  public static func .<= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".<=", [a, b]) { ct_le(a.handle, b.handle) }
  }
  /// Returns where `a` is less than or equal to a number, Bool.
  public static func .<= (a: Tensor, b: Double) throws -> Tensor { try make(".<=", [a]) { ct_le_scalar(a.handle, b) } }
  /// Returns where `a` is greater than `b`, Bool.
  public static func .> (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".>", [a, b]) { ct_gt(a.handle, b.handle) }
  }
  /// Returns where `a` is greater than a number, Bool.
  public static func .> (a: Tensor, b: Double) throws -> Tensor { try make(".>", [a]) { ct_gt_scalar(a.handle, b) } }
  /// Returns where `a` is greater than or equal to `b`, Bool.
  public static func .>= (a: Tensor, b: Tensor) throws -> Tensor {
    try make(".>=", [a, b]) { ct_ge(a.handle, b.handle) }
  }
  /// Returns where `a` is greater than or equal to a number, Bool.
  public static func .>= (a: Tensor, b: Double) throws -> Tensor { try make(".>=", [a]) { ct_ge_scalar(a.handle, b) } }
}

// Reductions. An empty list of axes means all.

extension Tensor {
  /// Returns the sum over some axes; `keep` leaves them with length 1.
  public func sum(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("sum", [self]) { axes.withInt64 { ct_sum(handle, $0, $1, keep) } }
  }
  /// Returns the sum over one axis.
  public func sum(axis: Int, keep: Bool = false) throws -> Tensor { try sum(axes: [axis], keep: keep) }
  /// Returns the mean over some axes.
  public func mean(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("mean", [self]) { axes.withInt64 { ct_mean(handle, $0, $1, keep) } }
  }
  /// Returns the mean over one axis.
  public func mean(axis: Int, keep: Bool = false) throws -> Tensor { try mean(axes: [axis], keep: keep) }
  /// Returns the maximum over some axes.
  public func max(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("max", [self]) { axes.withInt64 { ct_amax(handle, $0, $1, keep) } }
  }
  /// Returns the maximum over one axis.
  public func max(axis: Int, keep: Bool = false) throws -> Tensor { try max(axes: [axis], keep: keep) }
  /// Returns the minimum over some axes.
  public func min(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("min", [self]) { axes.withInt64 { ct_amin(handle, $0, $1, keep) } }
  }
  /// Returns the minimum over one axis.
  public func min(axis: Int, keep: Bool = false) throws -> Tensor { try min(axes: [axis], keep: keep) }
  /// Returns `log Σ e^x` over some axes, without overflow.
  public func logSumExp(axes: [Int] = [], keep: Bool = false) throws -> Tensor {
    try .make("logSumExp", [self]) { axes.withInt64 { ct_logsumexp(handle, $0, $1, keep) } }
  }
  /// Returns `log Σ e^x` over one axis, without overflow.
  public func logSumExp(axis: Int, keep: Bool = false) throws -> Tensor { try logSumExp(axes: [axis], keep: keep) }
  /// Returns the variance over some axes: divided by `n - 1` if `unbiased`, else by `n`.
  public func variance(axes: [Int] = [], unbiased: Bool = true, keep: Bool = false) throws -> Tensor {
    try .make("variance", [self]) { axes.withInt64 { ct_var(handle, $0, $1, unbiased, keep) } }
  }
  /// Returns the index of the maximum along an axis, Int64.
  public func argmax(axis: Int) throws -> Tensor { try .make("argmax", [self]) { ct_argmax(handle, Int64(axis)) } }
  /// Returns the index of the minimum along an axis, Int64.
  public func argmin(axis: Int) throws -> Tensor { try .make("argmin", [self]) { ct_argmin(handle, Int64(axis)) } }
  /// Returns the running sum along an axis.
  public func cumulativeSum(axis: Int) throws -> Tensor {
    try .make("cumulativeSum", [self]) { ct_cumsum(handle, Int64(axis)) }
  }
  /// Returns `1/n Σ_i (x_i − x̄)(x_{i+lag} − x̄)` for every lag from 0 to `n - 1` along an axis of length `n`.
  public func autocovariance(axis: Int) throws -> Tensor {
    try .make("autocovariance", [self]) { ct_autocovariance(handle, Int64(axis)) }
  }
  /// Returns whether every element is true or not 0.
  public func all() throws -> Bool { try Tensor.make("all", [self]) { ct_all(handle) }.item() != 0 }
  /// Returns whether any element is true or not 0.
  public func any() throws -> Bool { try Tensor.make("any", [self]) { ct_any(handle) }.item() != 0 }

  /// Returns the sorted values and their former indices; equal values keep their order.
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
