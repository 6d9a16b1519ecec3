import CTorch

// Shape, choice and order.

extension Tensor {
  /// Returns the same elements in another shape; one length may be -1.
  public func reshaped(_ shape: [Int]) throws -> Tensor {
    try .make("reshape to \(shape)", [self]) { shape.withInt64 { ct_reshape(handle, $0, $1) } }
  }

  /// Joins all axes from `axis` on to one; a tensor with fewer axes stays as it is.
  public func flattened(from axis: Int = 1) throws -> Tensor {
    let shape = shape
    guard axis >= -shape.count else {
      throw TensorError("flattened", shapes: [shape], reason: "found axis \(axis), expected \(-shape.count) or more")
    }
    let first = axis < 0 ? axis + shape.count : axis
    return shape.count <= first + 1 ? self : try reshaped(shape.prefix(first) + [shape.dropFirst(first).reduce(1, &*)])
  }

  /// Returns a view with the axes in another order.
  public func permuted(_ axes: [Int]) throws -> Tensor {
    try .make("permuted", [self]) { axes.withInt64 { ct_permute(handle, $0, $1) } }
  }
  /// Returns a view with two axes exchanged.
  public func transposed(_ a: Int = -2, _ b: Int = -1) throws -> Tensor {
    try .make("transposed", [self]) { ct_transpose(handle, Int64(a), Int64(b)) }
  }
  /// Returns a view without an axis of length 1.
  public func squeezed(_ axis: Int) throws -> Tensor {
    try .make("squeezed", [self]) { ct_squeeze(handle, Int64(axis)) }
  }
  /// Returns a view with a new axis of length 1.
  public func unsqueezed(_ axis: Int) throws -> Tensor {
    try .make("unsqueezed", [self]) { ct_unsqueeze(handle, Int64(axis)) }
  }
  /// Returns a view with axes of length 1 repeated to `shape`; -1 keeps a length.
  public func expanded(_ shape: [Int]) throws -> Tensor {
    try .make("expand to \(shape)", [self]) { shape.withInt64 { ct_expand(handle, $0, $1) } }
  }

  /// Joins tensors along an axis.
  public static func concatenate(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    try make("concatenate", tensors) { tensors.withHandles { ct_cat($0, $1, Int64(axis)) } }
  }
  /// Stacks tensors of one shape along a new axis.
  public static func stack(_ tensors: [Tensor], axis: Int = 0) throws -> Tensor {
    try make("stack", tensors) { tensors.withHandles { ct_stack($0, $1, Int64(axis)) } }
  }

  /// Returns a view of `range` along one axis.
  ///
  /// - Throws: `TensorError` where the range goes beyond the axis, or there is no such axis.
  public func slice(_ range: Range<Int>, axis: Int = 0) throws -> Tensor {
    let length = try size(axis)
    guard range.lowerBound >= 0, range.upperBound <= length else {
      throw TensorError(
        "slice", shapes: [shape], reason: "found \(range) along axis \(axis), expected within 0..<\(length)")
    }
    return try .make("slice", [self]) {
      ct_slice(handle, Int64(axis), Int64(range.lowerBound), Int64(range.upperBound), 1)
    }
  }

  /// Returns the view at one index along the first axis (or another); -1 is the last.
  ///
  /// - Throws: `TensorError` for an index beyond the axis.
  public func select(_ index: Int, axis: Int = 0) throws -> Tensor {
    try .make("select", [self]) { ct_select(handle, Int64(axis), Int64(index)) }
  }

  /// Returns the rows (along `axis`) that an Int64 vector names, in its order.
  ///
  /// - Throws: `TensorError` with the index and the range for an index that is negative or beyond the axis.
  public func rows(_ indices: Tensor, axis: Int = 0) throws -> Tensor {
    try .make("rows", [self, indices], lookingUp: ("index", indices, try? size(axis))) {
      ct_index_select(handle, Int64(axis), indices.handle)
    }
  }
  /// Returns the rows of these numbers along the first axis, in this order.
  ///
  /// - Throws: `TensorError` as for a tensor of indices, also on a GPU, whose kernels would end the program.
  public func rows(_ indices: [Int]) throws -> Tensor {
    if device != .cpu, let count = try? size(0), let outside = indices.first(where: { $0 < 0 || $0 >= count }) {
      throw TensorError("rows", shapes: [shape], reason: "found index \(outside), expected 0 to \(count - 1)")
    }
    return try rows(Tensor(indices.map(Int64.init)).to(device))
  }

  /// Returns for each place of `indices`, Int64, the element with that index along `axis` and the place's other indices.
  ///
  /// - Throws: `TensorError` with the index and the range for an index that is negative or beyond the axis.
  public func gathered(_ indices: Tensor, axis: Int) throws -> Tensor {
    try .make("gathered", [self, indices], lookingUp: ("index", indices, try? size(axis))) {
      ct_gather(handle, Int64(axis), indices.handle)
    }
  }
  /// Adds the rows of `source` to the rows that `indices` names.
  ///
  /// - Throws: `TensorError` with the index and the range for an index that is negative or beyond the axis.
  public func addingRows(_ indices: Tensor, _ source: Tensor, axis: Int = 0) throws -> Tensor {
    try .make("addingRows", [self, indices, source], lookingUp: ("index", indices, try? size(axis))) {
      ct_index_add(handle, Int64(axis), indices.handle, source.handle)
    }
  }
  /// Returns the elements in reverse order along an axis.
  public func flipped(axis: Int) throws -> Tensor { try .make("flipped", [self]) { ct_flip(handle, Int64(axis)) } }
  /// Returns the matrices with zeros above the diagonal.
  public func lowerTriangle() throws -> Tensor { try .make("lowerTriangle", [self]) { ct_tril(handle, 0) } }
  /// Returns the diagonal of a matrix, `[min(rows, columns)]`.
  public func diagonal() throws -> Tensor { try .make("diagonal", [self]) { ct_diagonal(handle) } }
  /// Returns labels `[…]` as zeros and ones `[…, classes]`, Int64.
  ///
  /// - Throws: `TensorError` with the label and the range for a label that is negative or not below `classes`.
  public func oneHot(_ classes: Int) throws -> Tensor {
    guard classes > 0 else {
      throw TensorError("oneHot", shapes: [shape], reason: "found \(classes) classes, expected one or more")
    }
    return try .make("oneHot", [self], lookingUp: ("label", self, classes)) { ct_one_hot(handle, Int64(classes)) }
  }
  /// Returns the indices of the elements that are not zero, `[found, rank]`.
  public func nonzero() throws -> Tensor { try .make("nonzero", [self]) { ct_nonzero(handle) } }

  /// Adds `margin` of `value` on each side of the last two axes.
  public func padded(_ margin: Int, value: Double = 0) throws -> Tensor {
    let pads = [margin, margin, margin, margin]
    return try .make("padded", [self]) { pads.withInt64 { ct_pad(handle, $0, $1, value) } }
  }
}

// Linear algebra; leading axes are a batch.

extension Tensor {
  /// Returns the matrix product of `[…, n, k]` and `[…, k, m]`, `[…, n, m]`.
  public func matmul(_ other: Tensor) throws -> Tensor {
    try .make("matmul", [self, other]) { ct_matmul(handle, other.handle) }
  }
  /// Returns the lower Cholesky factor; throws where the matrix is not positive definite.
  public func cholesky() throws -> Tensor { try .make("cholesky", [self]) { ct_cholesky(handle) } }
  /// Returns `x` with `self x = b`, for a triangular `self`.
  public func solveTriangular(_ b: Tensor, upper: Bool = false) throws -> Tensor {
    try .make("solveTriangular", [self, b]) { ct_solve_triangular(handle, b.handle, upper) }
  }
  /// Returns the inverse of square matrices; throws for a singular one.
  public func inverse() throws -> Tensor { try .make("inverse", [self]) { ct_inverse(handle) } }
  /// Returns the eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix.
  public func symmetricEigen() throws -> (values: Tensor, vectors: Tensor) {
    try Tensor.pair("symmetricEigen", [self]) { ct_eigh(handle, $0, $1) }
  }
  /// Returns the Euclidean distances between the rows of two matrices, `[n, d]` and `[m, d]` to `[n, m]`.
  public func distances(to other: Tensor) throws -> Tensor {
    try .make("distances", [self, other]) { ct_cdist(handle, other.handle) }
  }
}
