import CTorch

/// A function of one tensor that may own parameters.
public protocol Layer: Sendable {
  /// Applies the layer.
  ///
  /// - Throws: `TensorError` for an input of a shape, type or device that does not fit.
  func callAsFunction(_ input: Tensor) throws -> Tensor
}

/// A sequence of layers, each applied to the output of the one before.
public struct Sequential: Layer {
  /// The layers in order of application.
  public let layers: [any Layer]

  /// Creates a sequence from a list.
  public init(_ layers: [any Layer]) { self.layers = layers }
  /// Creates a sequence from its layers.
  public init(_ layers: any Layer...) { self.layers = layers }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try layers.reduce(input) { try $1($0) } }
}

extension Sequence where Element == any Layer {
  /// Returns the output of each layer, which the next one reads.
  public func outputs(of input: Tensor) throws -> [Tensor] {
    try reduce(into: []) { outputs, layer in outputs.append(try layer(outputs.last ?? input)) }
  }
}

/// An affine map from `[batch, inputs]` to `[batch, outputs]`, with a ReLU on demand.
public struct Linear: Layer {
  /// The weights, `[outputs, inputs]`.
  public let weight: Tensor
  /// The bias, `[outputs]`; nil without one.
  public let bias: Tensor?
  private let relu: Bool

  /// Creates the layer in a scope; the weights start from `.fanIn(inputs)` unless `start` is given.
  ///
  /// - Parameter relu: Whether `max(0, ·)` follows, in the same pass each way.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, relu: Bool = false, start: Initializer? = nil, in scope: Scope
  ) throws {
    self.relu = relu
    weight = try scope.parameter("weight", [outputs, inputs], start ?? .fanIn(inputs))
    self.bias = bias ? try scope.parameter("bias", [outputs], .fanIn(inputs)) : nil
  }

  /// Creates a linear layer and the activation function that follows it, with their parameters in one scope.
  public static func activated(
    _ inputs: Int, _ outputs: Int, _ activation: Activation, in scope: Scope
  ) throws -> any Layer {
    let linear = try Linear(inputs, outputs, relu: activation == .relu, in: scope)
    return activation == .relu ? linear : Sequential(linear, try activation.layer(channels: outputs, in: scope))
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.linear(weight, bias: bias, relu: relu) }
}

/// Square convolution of images `[batch, channels, height, width]`.
public struct Convolution: Layer {
  /// The kernels, `[outputs, channels, size, size]`.
  public let weight: Tensor
  /// The bias, `[outputs]`; nil without one.
  public let bias: Tensor?
  /// The stride in pixels.
  public let stride: Int
  /// The padding on each side in pixels.
  public let padding: Int

  /// Creates a convolution in a scope.
  ///
  /// - Parameter padding: Zeros around the image; `size / 2`, which keeps the size at stride 1, unless said otherwise.
  public init(
    _ channels: Int, _ outputs: Int, size: Int, stride: Int = 1, padding: Int? = nil, bias: Bool = true,
    start: Initializer? = nil, in scope: Scope
  ) throws {
    let inputs = channels * size * size
    weight = try scope.parameter("weight", [outputs, channels, size, size], start ?? .fanIn(inputs))
    self.bias = bias ? try scope.parameter("bias", [outputs], .fanIn(inputs)) : nil
    self.stride = stride
    self.padding = padding ?? size / 2
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try input.convolved(weight, bias: bias, stride: stride, padding: padding)
  }
}

/// Square transposed convolution of images.
public struct TransposedConvolution: Layer {
  /// The kernels, `[channels, outputs, size, size]`.
  public let weight: Tensor
  /// The bias, `[outputs]`; nil without one.
  public let bias: Tensor?
  /// The stride in pixels.
  public let stride: Int
  /// The padding on each side in pixels.
  public let padding: Int

  /// Creates a transposed convolution in a scope.
  public init(
    _ channels: Int, _ outputs: Int, size: Int, stride: Int = 1, padding: Int = 0, bias: Bool = true,
    start: Initializer? = nil, in scope: Scope
  ) throws {
    let inputs = outputs * size * size  // PyTorch's convention for transposed weights
    weight = try scope.parameter("weight", [channels, outputs, size, size], start ?? .fanIn(inputs))
    self.bias = bias ? try scope.parameter("bias", [outputs], .fanIn(inputs)) : nil
    self.stride = stride
    self.padding = padding
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try input.convolvedTransposed(weight, bias: bias, stride: stride, padding: padding)
  }
}

/// Batch normalisation over all axes but the channels' (axis 1), of images or vectors (Ioffe & Szegedy 2015).
///
/// While training it uses the batch's mean and variance and updates running ones with rate `momentum`; otherwise it uses
/// the running ones. A ReLU, the addition of a residual before it, and maxima over square cells after it can be fused with it.
public struct BatchNorm: Layer {
  /// The scale of each channel, `[channels]`.
  public let weight: Tensor
  /// The offset of each channel, `[channels]`.
  public let bias: Tensor
  /// The running means, `[channels]`.
  public let runningMean: Tensor
  /// The running variances, `[channels]`.
  public let runningVariance: Tensor
  /// Whether a ReLU follows.
  public let relu: Bool
  /// The width and height, in pixels, of the cells whose maxima are taken last, with the same stride; 1 for none.
  public let pool: Int
  /// The weight of the new batch in the running statistics, 0 to 1.
  public let momentum: Double
  /// The number added to variances, above 0.
  public let epsilon: Double
  private let mode: Mode

  /// Creates the layer in a scope, with running statistics as buffers.
  public init(
    _ channels: Int, relu: Bool = false, pool: Int = 1, momentum: Double = 0.1, epsilon: Double = 1e-5, in scope: Scope
  ) throws {
    weight = try scope.parameter("weight", [channels], .constant(1))
    bias = try scope.parameter("bias", [channels], .constant(0))
    runningMean = try scope.buffer("runningMean", .zeros([channels]))
    runningVariance = try scope.buffer("runningVariance", .ones([channels]))
    (self.relu, self.pool, self.momentum, self.epsilon, mode) = (relu, pool, momentum, epsilon, scope.mode)
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try self(input, adding: nil) }

  /// Applies the layer and adds a residual of the same shape before the ReLU.
  public func callAsFunction(_ input: Tensor, adding residual: Tensor?) throws -> Tensor {
    try .make("batch normalisation", [input, weight, residual]) {
      ct_batch_norm(
        input.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle, residual?.handle, relu,
        Int64(pool), mode.isTraining, mode.movesStatistics ? momentum : 0, epsilon)
    }
  }
}

/// Dropout: zeroes a share of the elements in training and scales the others up, so that the mean stays.
public struct Dropout: Layer {
  /// The share of elements that is zeroed, `0 ..< 1`.
  public let rate: Double
  private let mode: Mode

  /// Creates the layer.
  ///
  /// - Throws: `TensorError` for a rate outside `0 ..< 1`.
  public init(_ rate: Double, in scope: Scope) throws {
    guard rate >= 0, rate < 1 else {
      throw TensorError("dropout", reason: "found rate \(rate), expected 0 ≤ rate < 1")
    }
    self.rate = rate
    mode = scope.mode
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    guard mode.isTraining, rate > 0 else { return input }
    // Half precision would round the probability and the scale, and shift the mean.
    let wide = input.dtype.isHalf ? try input.to(.float32) : input
    let kept = try withoutGradients { try mode.generator.bernoulli(wide.filled(with: 1 - rate)) / (1 - rate) }
    return try (wide * kept).to(input.dtype)
  }
}

/// A layer of maxima over square cells of images.
public struct MaxPool: Layer {
  /// The width and height of a cell, and the stride, in pixels.
  public let size: Int
  /// Creates a layer with cells of `size × size` pixels.
  public init(_ size: Int) { self.size = size }
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.maxPooled(size) }
}

/// A layer of means over square cells of images.
public struct AveragePool: Layer {
  /// The width and height of a cell, and the stride, in pixels.
  public let size: Int
  /// Creates a layer with cells of `size × size` pixels.
  public init(_ size: Int) { self.size = size }
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.averagePooled(size) }
}

/// A layer that enlarges images by a whole factor.
public struct Upsample: Layer {
  /// The method of interpolation.
  public enum Method: String, Sendable { case nearest, bilinear }
  /// The factor, 1 or more.
  public let factor: Int
  /// The method of interpolation.
  public let method: Method
  /// Creates a layer that enlarges images by `factor`.
  public init(_ factor: Int, _ method: Method = .nearest) { (self.factor, self.method) = (factor, method) }
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    switch method {
    case .nearest: try input.upsampledNearest(factor)
    case .bilinear: try input.upsampledBilinear(factor)
    }
  }
}

/// A layer that joins all axes but the batch's.
public struct Flatten: Layer {
  public init() {}
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.flattened() }
}

/// A layer from `[batch, n]` to `[batch, shape…]`, channels last in memory where that is an image.
public struct Unflatten: Layer {
  /// The shape of one example.
  public let shape: [Int]
  /// Creates a layer for examples of a shape.
  public init(_ shape: [Int]) { self.shape = shape }
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    let result = try input.reshaped([input.size(0)] + shape)
    return shape.count == 3 ? try result.channelsLast() : result
  }
}

/// An activation function.
public enum Activation: String, Sendable, CaseIterable {
  case none, relu, leakyReLU, prelu, sigmoid, tanh, softmax, softplus

  /// Returns the layer; only PReLU has a parameter (one slope per channel, from 0.25).
  public func layer(channels: Int, in scope: Scope) throws -> any Layer {
    if self == .prelu { return PReLU(slope: try scope.parameter("slope", [channels], .constant(0.25))) }
    return Elementwise(activation: self)
  }

  private struct PReLU: Layer {
    let slope: Tensor
    func callAsFunction(_ input: Tensor) throws -> Tensor { try input.prelu(slope: slope) }
  }

  private struct Elementwise: Layer {
    let activation: Activation
    func callAsFunction(_ input: Tensor) throws -> Tensor {
      switch activation {
      case .none, .prelu: input
      case .relu: try input.relu()
      case .leakyReLU: try input.leakyReLU()
      case .sigmoid: try input.sigmoid()
      case .tanh: try input.tanh()
      case .softmax: try input.softmax(axis: 1)
      case .softplus: try input.softplus()
      }
    }
  }
}

/// The basic block of He et al. 2016: two 3x3 convolutions with batch normalisation, and a shortcut around them.
///
/// The shortcut is the identity, or a 1x1 convolution with batch normalisation where the channels or the size change.
public struct ResidualBlock: Layer {
  private let first: Convolution
  private let firstNorm: BatchNorm
  private let second: Convolution
  private let secondNorm: BatchNorm
  private let shortcut: Sequential?

  /// Creates the block in a scope, with its convolutions under `conv1`, `conv2` and `shortcut.conv`.
  public init(_ channels: Int, _ outputs: Int, stride: Int = 1, in scope: Scope) throws {
    first = try Convolution(channels, outputs, size: 3, stride: stride, bias: false, in: scope("conv1"))
    firstNorm = try BatchNorm(outputs, relu: true, in: scope("norm1"))
    second = try Convolution(outputs, outputs, size: 3, bias: false, in: scope("conv2"))
    secondNorm = try BatchNorm(outputs, relu: true, in: scope("norm2"))
    shortcut =
      channels == outputs && stride == 1
      ? nil
      : Sequential(
        try Convolution(channels, outputs, size: 1, stride: stride, bias: false, in: scope("shortcut.conv")),
        try BatchNorm(outputs, in: scope("shortcut.norm")))
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    let hidden = try second(firstNorm(first(input)))
    return try secondNorm(hidden, adding: shortcut.map { try $0(input) } ?? input)
  }
}
