import CTorch

/// The reduction of a loss over many elements to one value.
public enum Reduction: Int32, Sendable {
  case none = 0, mean, sum
}

// The functions that layers and losses are made of.

extension Tensor {
  /// Returns `x weightᵀ + bias`, then `max(0, ·)` where `relu` is true; weight `[outputs, inputs]`.
  public func linear(_ weight: Tensor, bias: Tensor? = nil, relu: Bool = false) throws -> Tensor {
    try .make("linear", [self, weight, bias]) { ct_linear(handle, weight.handle, bias?.handle, relu) }
  }

  /// Returns the convolution of `[batch, channels, height, width]`; weight `[outputs, channels, size, size]`.
  public func convolved(_ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0) throws -> Tensor {
    try .make("convolution", [self, weight, bias]) {
      ct_conv2d(handle, weight.handle, bias?.handle, Int64(stride), Int64(padding))
    }
  }

  /// Returns the transposed convolution; weight `[channels, outputs, size, size]`.
  public func convolvedTransposed(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0
  ) throws -> Tensor {
    try .make("transposed convolution", [self, weight, bias]) {
      ct_conv_transpose2d(handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(outputPadding))
    }
  }

  /// Returns the maxima over `size × size` cells of images `[batch, channels, height, width]`; the stride is `size` by default.
  public func maxPooled(_ size: Int, stride: Int? = nil) throws -> Tensor {
    try .make("max pooling", [self]) { ct_max_pool2d(handle, Int64(size), Int64(stride ?? size)) }
  }
  /// Returns the means over `size × size` cells of images `[batch, channels, height, width]`; the stride is `size` by default.
  public func averagePooled(_ size: Int, stride: Int? = nil) throws -> Tensor {
    try .make("average pooling", [self]) { ct_avg_pool2d(handle, Int64(size), Int64(stride ?? size)) }
  }
  /// Returns the means over a grid of `height x width` cells.
  public func averagePooled(to height: Int, _ width: Int) throws -> Tensor {
    try .make("adaptive average pooling", [self]) { ct_adaptive_avg_pool2d(handle, Int64(height), Int64(width)) }
  }
  /// Returns images enlarged by a factor, each pixel repeated.
  public func upsampledNearest(_ factor: Int) throws -> Tensor {
    try .make("nearest upsampling", [self]) { ct_upsample_nearest2d(handle, Int64(factor)) }
  }
  /// Returns images enlarged by a factor, with bilinear interpolation.
  public func upsampledBilinear(_ factor: Int) throws -> Tensor {
    try .make("bilinear upsampling", [self]) { ct_upsample_bilinear2d(handle, Int64(factor)) }
  }

  /// Returns `e^x / Σ e^x` along an axis.
  public func softmax(axis: Int = -1) throws -> Tensor {
    try .make("softmax", [self]) { ct_softmax(handle, Int64(axis)) }
  }
  /// Returns `x - log Σ e^x` along an axis.
  public func logSoftmax(axis: Int = -1) throws -> Tensor {
    try .make("logSoftmax", [self]) { ct_log_softmax(handle, Int64(axis)) }
  }

  // MARK: Losses

  /// Returns `(x - target)²`, reduced.
  public func squaredError(_ target: Tensor, _ reduction: Reduction = .mean) throws -> Tensor {
    try .make("squared error", [self, target]) { ct_mse(handle, target.handle, reduction.rawValue) }
  }
  /// Returns half the square where `|x - target|` is below `delta`, else `delta (|x - target| - delta / 2)` (Huber 1964).
  public func huberError(_ target: Tensor, delta: Double = 1, _ reduction: Reduction = .mean) throws -> Tensor {
    try .make("huber error", [self, target]) { ct_huber(handle, target.handle, delta, reduction.rawValue) }
  }
  /// Returns `-target log x - (1 - target) log(1 - x)` for probabilities `x`.
  public func binaryCrossEntropy(_ target: Tensor, _ reduction: Reduction = .mean) throws -> Tensor {
    try .make("binary cross entropy", [self, target]) { ct_bce(handle, target.handle, reduction.rawValue) }
  }
  /// Returns the binary cross entropy of logits: of `sigmoid(x)`, computed in one numerically stable step.
  public func binaryCrossEntropyOfLogits(_ target: Tensor, _ reduction: Reduction = .mean) throws -> Tensor {
    try .make("binary cross entropy of logits", [self, target]) {
      ct_bce_with_logits(handle, target.handle, reduction.rawValue)
    }
  }
  /// Returns `-log softmax(scores)[label]`; scores `[batch, classes]`, labels `[batch]` Int64.
  ///
  /// - Throws: `TensorError` with the label and the range for a label that is negative or beyond the classes.
  public func crossEntropy(_ labels: Tensor, _ reduction: Reduction = .mean) throws -> Tensor {
    try .make("cross entropy", [self, labels], lookingUp: ("label", labels, try? size(1))) {
      ct_cross_entropy(handle, labels.handle, reduction.rawValue)
    }
  }
}
