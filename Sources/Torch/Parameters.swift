import Foundation

/// A named tensor of a model.
public struct Parameter: Sendable {
  /// The role of a parameter.
  public enum Role: String, Sendable {
    /// Trained by gradients.
    case weight
    /// State that training keeps beside the weights, such as running statistics.
    case buffer
  }

  /// The full name: `encoder.conv1.weight`.
  public let name: String
  /// The values.
  public let tensor: Tensor
  /// Whether it is trained, or kept as state.
  public let role: Role
}

/// Whether a part runs in training or in evaluation, shared by its layers (batch normalisation, dropout).
public final class Mode: @unchecked Sendable {
  /// Whether layers behave as in training.
  public var isTraining = false
  /// Whether running statistics move in training. False while a part only serves the step of another part: it normalises by
  /// the batch, as in its own step, and keeps its statistics.
  public var movesStatistics = true
  /// The random stream of layers in training.
  public var generator: Generator

  /// Creates a mode for evaluation.
  public init(generator: Generator) { self.generator = generator }
}

/// Every tensor of a model by name, in order of creation.
public final class ParameterStore: @unchecked Sendable {
  /// The parameters and buffers in order of creation.
  public private(set) var parameters: [Parameter] = []
  /// Called before a parameter is made, with its full name and its shape.
  public var willMake: ((_ name: String, _ shape: [Int]) -> Void)?
  private var names: Set<String> = []

  public init() {}

  func add(_ parameter: Parameter) throws {
    guard names.insert(parameter.name).inserted else {
      throw TensorError(
        "parameter", reason: "two parameters are named '\(parameter.name)'; give each layer its own scope")
    }
    parameters.append(parameter)
  }

  /// Returns the parameters below one scope, `encoder` say.
  public func parameters(under path: String) -> [Parameter] {
    parameters.filter { $0.name == path || $0.name.hasPrefix(path + ".") }
  }
}

/// A place in the tree of parameter names: `encoder.conv1`. Layers create their parameters in one.
public struct Scope: Sendable {
  /// The path in the tree of names: `encoder.conv1`; empty at the root.
  public let path: String
  /// The store that parameters are added to.
  public let store: ParameterStore
  /// The mode that layers follow.
  public let mode: Mode
  /// The seed of initial values.
  public let seed: UInt64
  /// The device of parameters.
  public let device: Device
  /// The type of parameters.
  public let dtype: DType

  /// Creates a root scope; without a mode it makes its own, in evaluation.
  public init(
    path: String, store: ParameterStore = ParameterStore(), mode: Mode? = nil, seed: UInt64 = 0, device: Device = .cpu,
    dtype: DType = .float32
  ) throws {
    self.path = path
    self.store = store
    self.mode = try mode ?? Mode(generator: Generator(seed: seed, for: "\(path) layers", device: device))
    self.seed = seed
    self.device = device
    self.dtype = dtype
  }

  private init(_ parent: Scope, _ name: String) {
    path = parent.path.isEmpty ? name : "\(parent.path).\(name)"
    (store, mode, seed, device, dtype) = (parent.store, parent.mode, parent.seed, parent.device, parent.dtype)
  }

  /// Returns the scope `name` inside this one.
  public func callAsFunction(_ name: String) -> Scope { Scope(self, name) }

  /// Creates a trained parameter. Its initial values depend on the run's seed and its full name alone, so two models that
  /// share a part start it alike, on every device.
  ///
  /// - Throws: `TensorError` for a name that is taken.
  public func parameter(_ name: String, _ shape: [Int], _ initial: Initializer) throws -> Tensor {
    let full = path.isEmpty ? name : "\(path).\(name)"
    store.willMake?(full, shape)
    var generator = try Generator(seed: seed, for: full)
    var tensor = try withoutGradients { try initial.values(shape, using: &generator).to(dtype, device) }
    if shape.count == 4 { tensor = try tensor.channelsLast() }
    try tensor.requiringGradient()
    try store.add(Parameter(name: full, tensor: tensor, role: .weight))
    return tensor
  }

  /// Creates a tensor that is saved with the weights but not trained.
  ///
  /// - Throws: `TensorError` for a name that is taken.
  public func buffer(_ name: String, _ values: Tensor) throws -> Tensor {
    let full = path.isEmpty ? name : "\(path).\(name)"
    let tensor = try values.to(values.dtype.isFloatingPoint ? dtype : values.dtype, device)
    try store.add(Parameter(name: full, tensor: tensor, role: .buffer))
    return tensor
  }
}

/// The distribution of a parameter's initial values.
public enum Initializer: Sendable {
  /// One number everywhere.
  case constant(Double)
  /// A normal distribution.
  case normal(mean: Double = 0, deviation: Double)
  /// A uniform distribution over `-bound ..< bound`.
  case uniform(bound: Double)
  /// He's normal initialisation for layers before a ReLU: deviation `sqrt(2 / inputs)`.
  case heNormal(inputs: Int)

  /// Returns the default of PyTorch's linear and convolution layers: uniform within `±1 / sqrt(inputs)`.
  public static func fanIn(_ inputs: Int) -> Initializer { .uniform(bound: 1 / Double(max(inputs, 1)).squareRoot()) }

  func values(_ shape: [Int], using generator: inout Generator) throws -> Tensor {
    switch self {
    case .constant(let value): try .full(shape, value)
    case .normal(let mean, let deviation): try generator.normal(shape) * deviation + mean
    case .uniform(let bound): try generator.uniform(shape) * (2 * bound) - bound
    case .heNormal(let inputs): try generator.normal(shape) * (2 / Double(max(inputs, 1))).squareRoot()
    }
  }
}
