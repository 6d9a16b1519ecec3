import Foundation
import LatentKit

/// A small network that belongs to no model: one hidden layer, with convolutions before it where features are an image.
struct ProbeNetwork {
  /// Images of this side or more are halved by maxima.
  private static let leastSide = 8
  /// Examples that are classified at once.
  private static let pieceSize = 1000

  private let layers: Sequential
  private let scope: Scope

  /// - Parameters:
  ///   - inputs: The length of a feature vector.
  ///   - image: Its channels, height and width as an image; nil for a vector.
  ///   - seed: Of the first weights, of the order of examples and of what is dropped.
  ///   - context: Whose device it is on.
  init(inputs: Int, image: [Int]?, hidden: Int, classes: Int, seed: UInt64, like context: BuildContext) throws {
    scope = try Scope(path: "probe", seed: seed, device: context.device)
    var layers: [any Layer] = []
    var size = inputs
    if let image {
      layers.append(Unflatten(image))
      let halves = min(image[1], image[2]) >= ProbeNetwork.leastSide
      let widths = halves ? [32, 64, 128] : [32, 64]
      for (index, (from, to)) in zip([image[0]] + widths, widths).enumerated() {
        let scope = scope("conv\(index + 1)")
        if halves {
          layers.append(try Convolution(from, to, size: 3, bias: false, in: scope))
          layers.append(try BatchNorm(to, relu: true, pool: 2, in: scope("norm")))
        } else {
          layers += [
            try Convolution(from, to, size: 3, in: scope), try Activation.relu.layer(channels: to, in: scope),
          ]
        }
      }
      let sides = image.dropFirst().map { halves ? $0 / 8 : $0 }
      size = (widths.last ?? 1) * sides[0] * sides[1]
      layers.append(Flatten())
    }
    layers.append(try Linear(size, hidden, relu: true, in: scope("hidden")))
    if image != nil { layers.append(try Dropout(0.25, in: scope)) }
    layers.append(try Linear(hidden, classes, in: scope("output")))
    self.layers = Sequential(layers)
  }

  /// Returns the class of each row of features `[count, dimensions]`, on the CPU.
  func classes(of features: Tensor) throws -> Tensor {
    let count = try features.size(0)
    return try .concatenate(
      stride(from: 0, to: count, by: ProbeNetwork.pieceSize).map { start in
        let rows = try features.slice(start..<min(start + ProbeNetwork.pieceSize, count))
        return try withoutGradients { try layers(rows.to(.float32, scope.device)).argmax(axis: 1).to(.cpu) }
      })
  }

  /// Minimises cross entropy by Adam, the rate falling along half a cosine. Ends in evaluation mode.
  ///
  /// - Parameter steps: How many; each example is seen about as often as any other.
  func train(_ features: Tensor, _ labels: Tensor, steps: Int, batchSize: Int, learningRate: Double) throws {
    let optimizer = try Adam(scope.store.parameters.filter { $0.role == .weight })
    let weights = optimizer.parameters.map(\.tensor)
    let (features, labels) = (try features.to(.float32, scope.device), try labels.to(scope.device))
    let count = labels.count
    var shuffle = try Generator(seed: scope.seed, for: "order of probes", device: scope.device)
    var (order, start) = (try shuffle.permutation(count), 0)
    scope.mode.isTraining = true
    defer { scope.mode.isTraining = false }
    try withGradients {
      for step in 0..<steps {
        // Batch normalisation needs two examples: a last one alone waits for another pass.
        if start > 0, count - start < 2 { (order, start) = (try shuffle.permutation(count), 0) }
        let places = try order.slice(start..<min(start + batchSize, count))
        let error = try layers(features.rows(places)).crossEntropy(labels.rows(places))
        let rate = learningRate * 0.5 * (1 + cos(.pi * Double(step) / Double(steps)))
        try optimizer.step(error.gradients(by: weights), learningRate: rate)
        start += batchSize
      }
    }
  }
}
