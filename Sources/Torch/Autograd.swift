import CTorch

extension Tensor {
  /// Sets whether gradients by this leaf tensor are recorded, and returns the tensor.
  @discardableResult
  public func requiringGradient(_ on: Bool = true) throws -> Tensor {
    try Tensor.check("requiringGradient", [self]) { ct_set_requires_grad(handle, on) }
    return self
  }

  /// Returns the gradients of this scalar by each of `inputs`; nil for an input that it does not depend on.
  ///
  /// - Parameters:
  ///   - retainGraph: Keeps what was recorded, for gradients of other scalars made of the same values.
  ///   - createGraph: Returns gradients that can be differentiated again, for a gradient penalty say. Fused functions
  ///     (batch normalisation, …) then take their gradients in separate operations: the same values to rounding, more slowly.
  /// - Throws: `TensorError` where this is no scalar, or nothing in it was recorded for gradients.
  public func gradients(by inputs: [Tensor], retainGraph: Bool = false, createGraph: Bool = false) throws -> [Tensor?] {
    var found = [OpaquePointer?](repeating: nil, count: inputs.count)
    try inputs.withHandles { handles, count in
      try Tensor.check("gradients", [self]) { ct_grad(handle, handles, count, retainGraph, createGraph, &found) }
    }
    return found.map { $0.map(Tensor.init(owning:)) }
  }

  /// Returns these values, `[count]`, with given gradients: the derivative of value i by row i of `input` is row i of `gradients`.
  ///
  /// It is how something that libtorch does not compute takes part in training. Only first derivatives are known.
  ///
  /// - Parameters:
  ///   - gradients: `[count, …]`, of the shape of `input`.
  ///   - input: What the values were computed from.
  /// - Throws: `TensorError` where the shapes do not fit; later, where somebody asks for second derivatives.
  public func withGradients(_ gradients: Tensor, by input: Tensor) throws -> Tensor {
    try .make("withGradients", [self, input, gradients]) {
      ct_given_gradients(handle, input.handle, gradients.handle)
    }
  }

  /// Whether gradients by this tensor are going to be recorded: it has some, and this thread records.
  public var recordsGradients: Bool { requiresGradient && ct_grad_enabled() }
}

/// Runs `body` without recording it for gradients, on this thread.
public func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
  try withGradients(enabled: false, body)
}

/// Runs `body` with gradients recorded, on this thread, also inside `withoutGradients`.
public func withGradients<Result>(enabled: Bool = true, _ body: () throws -> Result) rethrows -> Result {
  let before = ct_grad_enabled()
  ct_set_grad_enabled(enabled)
  defer { ct_set_grad_enabled(before) }
  return try body()
}

// Changes in place, for optimisers, masks and running statistics. They keep a tensor's identity and layout.

extension Tensor {
  /// Copies values (any type, any device) into this tensor of the same shape.
  public func copyInPlace(_ source: Tensor) throws {
    try withoutGradients { try Tensor.check("copyInPlace", [self, source]) { ct_copy_into(handle, source.handle) } }
  }
  /// Sets every element to `value`.
  public func fillInPlace(_ value: Double) throws {
    try withoutGradients { try Tensor.check("fillInPlace", [self]) { ct_fill_in_place(handle, value) } }
  }
  /// Adds `alpha * source`, of a shape that broadcasts to this one.
  public func addInPlace(_ source: Tensor, times alpha: Double = 1) throws {
    try withoutGradients {
      try Tensor.check("addInPlace", [self, source]) { ct_add_in_place(handle, source.handle, alpha) }
    }
  }
  /// Multiplies element by element with `source`, of a shape that broadcasts to this one.
  public func multiplyInPlace(_ source: Tensor) throws {
    try withoutGradients {
      try Tensor.check("multiplyInPlace", [self, source]) { ct_mul_in_place(handle, source.handle) }
    }
  }
  /// Multiplies every element by `value`.
  public func multiplyInPlace(_ value: Double) throws {
    try withoutGradients { try Tensor.check("multiplyInPlace", [self]) { ct_mul_scalar_in_place(handle, value) } }
  }
}

/// Scales gradients in place so that their common Euclidean norm is at most `limit`; waits for no device.
///
/// Where the norm is not finite, nothing is scaled.
///
/// - Returns: The norm before, of one element in Float64.
@discardableResult
public func clipGradients(_ gradients: [Tensor], to limit: Double = .infinity) throws -> Tensor {
  try gradients.withHandles { handles, count in
    try .make("clipGradients", []) { ct_clip_gradients(handles, count, limit) }
  }
}
