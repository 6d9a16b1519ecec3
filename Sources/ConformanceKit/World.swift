import LatentKit

/// The data and the latents that a part is made for in a check.
struct World: Sendable, CustomStringConvertible {
  /// `[channels, height, width]` or `[features]`.
  let inputShape: [Int]
  /// The least and greatest value of inputs; nil without bounds.
  let inputRange: ClosedRange<Double>?
  /// The number of classes; nil without labels.
  let classCount: Int?
  /// The length of a latent vector.
  let latentSize: Int

  static let rows = World(inputShape: [6], inputRange: nil, classCount: 3, latentSize: 4)
  static let smallRows = World(inputShape: [6], inputRange: nil, classCount: 3, latentSize: 2)
  /// Kinds of data; of each, the first that a part takes is used.
  static let kinds: [[World]] = [
    [rows],
    [images(1, 16), images(1, 32), images(1, 28)],
    [images(3, 16), images(3, 32)],
  ]

  static func images(_ channels: Int, _ size: Int, latentSize: Int = 4) -> World {
    World(inputShape: [channels, size, size], inputRange: 0...1, classCount: 3, latentSize: latentSize)
  }

  func with(classCount: Int?) -> World {
    World(inputShape: inputShape, inputRange: inputRange, classCount: classCount, latentSize: latentSize)
  }

  func with(latentSize: Int) -> World {
    World(inputShape: inputShape, inputRange: inputRange, classCount: classCount, latentSize: latentSize)
  }

  var description: String {
    "inputs \(inputShape)" + (classCount.map { ", \($0) classes" } ?? ", no labels")
      + (latentSize > 0 ? ", \(latentSize) latents" : "")
  }

  /// Returns random inputs `[count] + inputShape` and labels that go through the classes.
  func batch(_ count: Int, seed: UInt64, dtype: DType = .float32, device: Device = .cpu) throws -> Batch {
    var generator = try Generator(seed: seed, for: "inputs of checks")
    let shape = [count] + inputShape
    var inputs =
      if let inputRange {
        try generator.uniform(shape) * (inputRange.upperBound - inputRange.lowerBound) + inputRange.lowerBound
      } else {
        try generator.normal(shape)
      }
    if shape.count == 4 { inputs = try inputs.channelsLast() }
    return Batch(inputs: try inputs.to(dtype, device), labels: try labels(count, device: device))
  }

  /// Returns labels that go through the classes, `[count]`; nil without classes.
  func labels(_ count: Int, device: Device = .cpu) throws -> Tensor? {
    try classCount.map { classes in try Tensor((0..<count).map { Int64($0 % classes) }).to(device) }
  }

  /// Returns standard normal latents `[count, latent]` with labels that go through the classes.
  func latents(
    _ count: Int, size: Int? = nil, seed: UInt64, dtype: DType = .float32, device: Device = .cpu
  ) throws -> LatentBatch {
    var generator = try Generator(seed: seed, for: "latents of checks")
    let latents = try generator.normal([count, size ?? latentSize]).to(dtype, device)
    return LatentBatch(latents, labels: try labels(count, device: device))
  }
}
