import CTorch
import Foundation

/// Changes parameters by their gradients; one fused step of libtorch over all of them.
public protocol Optimizer: AnyObject {
  var parameters: [Parameter] { get }

  /// One step. `gradients[i]` belongs to `parameters[i]`; nil leaves that parameter and its state as they are.
  func step(_ gradients: [Tensor?], learningRate: Double) throws

  /// State that the next step depends on beside the parameters, by name: a checkpoint keeps it and writes it back in place.
  var state: [(name: String, tensor: Tensor)] { get }

  /// What is impossible about a state that was written back; nil where nothing is. Nil unless the optimiser says otherwise.
  var problem: String? { get throws }
}

extension Optimizer {
  public var problem: String? { nil }

  /// Returns the indices of the parameters that have a gradient.
  fileprivate func used(_ gradients: [Tensor?]) throws -> [Int] {
    guard gradients.count == parameters.count else {
      throw TensorError(
        "optimiser step",
        reason: "found \(gradients.count) gradients, expected \(parameters.count): nil or one for each")
    }
    return gradients.indices.filter { gradients[$0] != nil }
  }
}

/// Stochastic gradient descent with momentum, Nesterov's variant and L2 weight decay:
/// `g ← g + weightDecay · w`, `v ← momentum·v + g`, `w ← w − learningRate · v`.
public final class SGD: Optimizer {
  /// The parameters that it changes.
  public let parameters: [Parameter]
  private let momentum: Double
  private let weightDecay: Double
  private let nesterov: Bool
  private let velocities: [Tensor]

  /// Creates an optimiser with an empty state.
  public init(_ parameters: [Parameter], momentum: Double = 0, weightDecay: Double = 0, nesterov: Bool = false) throws {
    self.parameters = parameters
    (self.momentum, self.weightDecay, self.nesterov) = (momentum, weightDecay, nesterov)
    velocities = momentum == 0 ? [] : try parameters.map { try $0.tensor.detached().filled(with: 0) }
  }

  public func step(_ gradients: [Tensor?], learningRate: Double) throws {
    let used = try used(gradients)
    let weights = used.map { parameters[$0].tensor }
    let slopes = used.map { gradients[$0]! }
    let momenta = momentum == 0 ? [] : used.map { velocities[$0] }
    // A velocity starts at zero, so the first step needs no special case.
    try weights.withHandles { weights, count in
      try slopes.withHandles { slopes, _ in
        try momenta.withHandles { momenta, _ in
          try Tensor.check("sgd") {
            ct_fused_sgd(weights, slopes, momenta, count, learningRate, momentum, weightDecay, nesterov, false)
          }
        }
      }
    }
  }

  public var state: [(name: String, tensor: Tensor)] {
    velocities.indices.map { ("\(parameters[$0].name).velocity", velocities[$0]) }
  }
}

/// Adam (Kingma & Ba 2015); with `decoupled` AdamW (Loshchilov & Hutter 2019).
public final class Adam: Optimizer {
  /// The parameters that it changes.
  public let parameters: [Parameter]
  private let betas: (Double, Double)
  private let epsilon: Double
  private let weightDecay: Double
  private let decoupled: Bool
  private let first: [Tensor]
  private let second: [Tensor]
  private let steps: [Tensor]

  /// Creates an optimiser with an empty state.
  public init(
    _ parameters: [Parameter], betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupled: Bool = false
  ) throws {
    self.parameters = parameters
    (self.betas, self.epsilon, self.weightDecay, self.decoupled) = (betas, epsilon, weightDecay, decoupled)
    first = try parameters.map { try $0.tensor.detached().filled(with: 0) }
    second = try parameters.map { try $0.tensor.detached().filled(with: 0) }
    steps = try parameters.map { try .zeros([], device: $0.tensor.device) }
  }

  public func step(_ gradients: [Tensor?], learningRate: Double) throws {
    let used = try used(gradients)
    try used.map { parameters[$0].tensor }.withHandles { weights, count in
      try used.map { gradients[$0]! }.withHandles { slopes, _ in
        try used.map { first[$0] }.withHandles { first, _ in
          try used.map { second[$0] }.withHandles { second, _ in
            try used.map { steps[$0] }.withHandles { steps, _ in
              try Tensor.check("adam") {
                ct_fused_adam(
                  weights, slopes, first, second, steps, count, learningRate, betas.0, betas.1, weightDecay, epsilon,
                  decoupled)
              }
            }
          }
        }
      }
    }
  }

  public var state: [(name: String, tensor: Tensor)] {
    parameters.indices.flatMap {
      [
        ("\(parameters[$0].name).first", first[$0]), ("\(parameters[$0].name).second", second[$0]),
        ("\(parameters[$0].name).steps", steps[$0]),
      ]
    }
  }

  public var problem: String? {
    get throws {
      for (index, parameter) in parameters.enumerated() {
        let count = try steps[index].item()
        // Whole numbers are counted one by one up to there in Float32.
        guard count >= 0, count <= Double(1 << 24), count == count.rounded() else {
          return "steps \(count) of '\(parameter.name)', expected a whole number, 0 to 2^24"
        }
        guard try (second[index] .>= 0).all() else {
          return "second moments of '\(parameter.name)' below 0, expected 0 or more"
        }
      }
      return nil
    }
  }
}

/// The course of the learning rate over a stage: a factor of the optimiser's own rate.
public enum Schedule: Sendable, Equatable {
  case constant
  /// Times `factor` after every `epochs` epochs.
  case step(epochs: Int, factor: Double)
  /// From 1 to `floor` along half a cosine over the whole stage (Loshchilov & Hutter 2017, without restarts).
  case cosine(floor: Double)

  /// Returns the factor of the learning rate, 0 or more.
  ///
  /// - Parameters:
  ///   - step: Steps done so far in the stage.
  ///   - warmUp: Epochs over which the rate rises linearly to its full value; the schedule itself runs after them.
  public func factor(step: Int, stepsPerEpoch: Int, epochs: Int, warmUp: Double = 0) -> Double {
    let total = Double(max(epochs * stepsPerEpoch, 1))
    let warmUpSteps = warmUp * Double(stepsPerEpoch)
    if Double(step) < warmUpSteps { return Double(step + 1) / (warmUpSteps + 1) }
    switch self {
    case .constant: return 1
    case .step(let every, let factor): return power(factor, (step / max(stepsPerEpoch, 1)) / max(every, 1))
    case .cosine(let floor):
      let progress = (Double(step) - warmUpSteps) / max(total - warmUpSteps, 1)
      return floor + (1 - floor) * 0.5 * (1 + cos(.pi * min(progress, 1)))
    }
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { value, _ in value * base } }
