import Foundation

/// A named tensor of a model.
public struct Parameter: Sendable {
  /// The use of a parameter.
  public enum Role: String, Sendable {
    /// Trained by gradients.
    case weight
    /// State that training keeps beside the weights, such as running statistics.
    case buffer
  }

  /// The path in the model: `encoder.conv1.weight`.
  public let name: String
  /// The values.
  public let tensor: Tensor
  /// Whether it is trained.
  public let role: Role
}

/// How a part is being run now. Layers whose behaviour depends on it (batch normalisation, dropout) look here.
public final class Mode: @unchecked Sendable {
  /// Whether layers behave as in training.
  public var isTraining = false
  /// Draws what layers draw while training.
  public var generator: Generator

  /// Creates a mode of evaluation.
  public init(generator: Generator) { self.generator = generator }
}

/// Every tensor of a model by name, in order of creation.
public final class ParameterStore: @unchecked Sendable {
  public private(set) var parameters: [Parameter] = []
  private var names: Set<String> = []

  public init() {}

  func add(_ parameter: Parameter) throws {
    guard names.insert(parameter.name).inserted else {
      throw TensorError(
        "parameter", reason: "two parameters are named '\(parameter.name)'; give each layer its own scope")
    }
    parameters.append(parameter)
  }

  /// The parameters below one scope, `encoder` say.
  public func parameters(under path: String) -> [Parameter] {
    parameters.filter { $0.name == path || $0.name.hasPrefix(path + ".") }
  }
}

/// A place in the tree of parameter names: `encoder.conv1`. Layers create their parameters in one.
public struct Scope: Sendable {
  /// The path in the tree of names; empty at the root.
  public let path: String
  /// The store that parameters go into.
  public let store: ParameterStore
  /// The mode that layers look at.
  public let mode: Mode
  /// The run's seed.
  public let seed: UInt64
  /// The device of parameters.
  public let device: Device
  /// The type of parameters.
  public let dtype: DType

  /// Creates a scope at the root of a store.
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

  /// The scope `name` inside this one.
  public func callAsFunction(_ name: String) -> Scope { Scope(self, name) }

  /// A new trained parameter. Its start depends on the run's seed and its own name alone, so two models that share a
  /// part start it alike, on every device.
  public func parameter(_ name: String, _ shape: [Int], _ initial: Initializer) throws -> Tensor {
    let full = path.isEmpty ? name : "\(path).\(name)"
    var generator = try Generator(seed: seed, for: full)
    var tensor = try withoutGradients { try initial.values(shape, using: &generator).to(dtype, device) }
    if shape.count == 4 { tensor = try tensor.channelsLast() }
    try tensor.requiringGradient()
    try store.add(Parameter(name: full, tensor: tensor, role: .weight))
    return tensor
  }

  /// A new tensor that is kept with the weights but not trained.
  public func buffer(_ name: String, _ values: Tensor) throws -> Tensor {
    let full = path.isEmpty ? name : "\(path).\(name)"
    let tensor = try values.to(values.dtype.isFloatingPoint ? dtype : values.dtype, device)
    try store.add(Parameter(name: full, tensor: tensor, role: .buffer))
    return tensor
  }
}

/// The values a parameter starts with.
public enum Initializer: Sendable {
  case constant(Double)
  case normal(mean: Double = 0, deviation: Double)
  case uniform(bound: Double)
  /// He's normal initialisation for layers before a ReLU: deviation `sqrt(2 / inputs)`.
  case heNormal(inputs: Int)

  /// The start of PyTorch's linear and convolution layers: uniform within `1 / sqrt(inputs)`.
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
