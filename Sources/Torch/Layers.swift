import CTorch

/// A function of one tensor that may own parameters.
public protocol Layer: Sendable {
  func callAsFunction(_ input: Tensor) throws -> Tensor
}

/// Layers one after the other.
public struct Sequential: Layer {
  /// The layers, first to last.
  public let layers: [any Layer]

  /// Creates a sequence of layers.
  public init(_ layers: [any Layer]) { self.layers = layers }
  /// Creates a sequence of layers.
  public init(_ layers: any Layer...) { self.layers = layers }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try layers.reduce(input) { try $1($0) } }
}

/// `[batch, inputs]` to `[batch, outputs]`.
public struct Linear: Layer {
  /// `[outputs, inputs]`.
  public let weight: Tensor
  /// `[outputs]`; nil without one.
  public let bias: Tensor?

  /// Creates the layer with its parameters in a scope.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true, start: Initializer? = nil, in scope: Scope) throws {
    weight = try scope.parameter("weight", [outputs, inputs], start ?? .fanIn(inputs))
    self.bias = bias ? try scope.parameter("bias", [outputs], .fanIn(inputs)) : nil
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.linear(weight, bias: bias) }
}

/// Square convolution of images `[batch, channels, height, width]`.
public struct Convolution: Layer {
  /// `[outputs, channels, size, size]`.
  public let weight: Tensor
  /// `[outputs]`; nil without one.
  public let bias: Tensor?
  /// Pixels between two places of the filter.
  public let stride: Int
  /// Zeros around the image, in pixels.
  public let padding: Int

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
  /// `[channels, outputs, size, size]`.
  public let weight: Tensor
  /// `[outputs]`; nil without one.
  public let bias: Tensor?
  /// Pixels of the output between two of the input.
  public let stride: Int
  /// Pixels cut off each side of the output.
  public let padding: Int

  /// Creates the layer with its parameters in a scope.
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
/// the running ones. A ReLU and a residual to add before it can be had in the same pass over memory.
public struct BatchNorm: Layer {
  /// The scale of each channel.
  public let weight: Tensor
  /// The shift of each channel.
  public let bias: Tensor
  /// The running mean of each channel, a buffer.
  public let runningMean: Tensor
  /// The running variance of each channel, a buffer.
  public let runningVariance: Tensor
  /// Whether a ReLU follows in the same pass.
  public let relu: Bool
  /// The share of a batch in the running values, 0 to 1.
  public let momentum: Double
  /// The number added to variances.
  public let epsilon: Double
  private let mode: Mode

  /// Creates the layer with its parameters and buffers in a scope.
  public init(
    _ channels: Int, relu: Bool = false, momentum: Double = 0.1, epsilon: Double = 1e-5, in scope: Scope
  ) throws {
    weight = try scope.parameter("weight", [channels], .constant(1))
    bias = try scope.parameter("bias", [channels], .constant(0))
    runningMean = try scope.buffer("runningMean", .zeros([channels]))
    runningVariance = try scope.buffer("runningVariance", .ones([channels]))
    (self.relu, self.momentum, self.epsilon, mode) = (relu, momentum, epsilon, scope.mode)
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor { try self(input, adding: nil) }

  public func callAsFunction(_ input: Tensor, adding residual: Tensor?) throws -> Tensor {
    try .make("batch normalisation", [input, weight, residual]) {
      ct_batch_norm(
        input.handle, weight.handle, bias.handle, runningMean.handle, runningVariance.handle, residual?.handle, relu,
        mode.isTraining, momentum, epsilon)
    }
  }
}

/// Zeroes a share of the elements while training and scales the others up, so that the mean stays.
public struct Dropout: Layer {
  /// The share that is zeroed, 0 up to 1.
  public let rate: Double
  private let mode: Mode

  /// Creates the layer; it draws from the scope's generator.
  public init(_ rate: Double, in scope: Scope) throws {
    guard rate >= 0, rate < 1 else {
      throw TensorError("dropout", reason: "found rate \(rate), expected 0 ≤ rate < 1")
    }
    self.rate = rate
    mode = scope.mode
  }

  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    guard mode.isTraining, rate > 0 else { return input }
    let kept = try withoutGradients { try mode.generator.bernoulli(input.filled(with: 1 - rate)) / (1 - rate) }
    return try input * kept
  }
}

/// The greatest value of each window of images.
public struct MaxPool: Layer {
  /// The side of a window, and the stride.
  public let size: Int
  /// Creates pooling by windows of a side.
  public init(_ size: Int) { self.size = size }
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.maxPooled(size) }
}

/// The mean of each window of images.
public struct AveragePool: Layer {
  /// The side of a window, and the stride.
  public let size: Int
  /// Creates pooling by windows of a side.
  public init(_ size: Int) { self.size = size }
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.averagePooled(size) }
}

/// Enlarged images.
public struct Upsample: Layer {
  /// The way pixels between pixels are filled.
  public enum Method: String, Sendable { case nearest, bilinear }
  /// The factor of height and width.
  public let factor: Int
  /// The way pixels between pixels are filled.
  public let method: Method
  /// Creates enlargement by a factor.
  public init(_ factor: Int, _ method: Method = .nearest) { (self.factor, self.method) = (factor, method) }
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    switch method {
    case .nearest: try input.upsampledNearest(factor)
    case .bilinear: try input.upsampledBilinear(factor)
    }
  }
}

/// All axes but the batch's become one.
public struct Flatten: Layer {
  public init() {}
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try input.flattened() }
}

/// `[batch, n]` to `[batch, shape…]`, channels last in memory where that is an image.
public struct Unflatten: Layer {
  /// The shape of one example.
  public let shape: [Int]
  /// Creates reshaping to a shape of one example.
  public init(_ shape: [Int]) { self.shape = shape }
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    let result = try input.reshaped([input.size(0)] + shape)
    return shape.count == 3 ? try result.channelsLast() : result
  }
}

/// The functions between layers.
public enum Activation: String, Sendable, CaseIterable {
  case none, relu, leakyReLU, prelu, sigmoid, tanh, softmax, softplus

  /// The layer; only PReLU has a parameter (one slope per channel, from 0.25).
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

  /// Creates the block with its parameters in a scope.
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
