import LatentKit

/// Batches of examples, as models take them.
///
/// Examples stay in memory as stored; a batch is sliced, padded, converted and scaled in a few operations over all of
/// it. On a GPU the stored bytes are moved there once.
public final class BatchSource {
  /// The examples as stored.
  public let examples: Examples
  /// What batches are taken from.
  private let stored: Examples
  /// The settings of padding, scaling and augmentation.
  public let settings: DataSettings
  /// The number of classes; nil without labels.
  public let classCount: Int?
  /// The device that batches are made on.
  public let device: Device

  /// - Throws: `ConfigError` for settings that do not fit the data.
  public init(
    _ examples: Examples, settings: DataSettings = DataSettings(), classCount: Int? = nil, device: Device = .cpu,
    at path: String = "data.with"
  ) throws {
    try settings.validate(at: path)
    if !examples.areImages {
      let wrong = settings.pad > 0 ? "pad" : settings.shift > 0 ? "shift" : settings.flip ? "flip" : nil
      if let wrong {
        throw ConfigError(
          path: "\(path).\(wrong)", "is for images, and these inputs have shape \(examples.inputShape); leave it out")
      }
    }
    self.examples = try examples.to(device)
    stored = try self.examples.withoutRows()
    self.settings = settings
    self.classCount = classCount
    self.device = device
  }

  /// The number of examples.
  public var count: Int { examples.count }

  /// `[channels, height, width]` after padding, or `[features]`.
  public var inputShape: [Int] {
    let shape = examples.inputShape
    return examples.areImages ? [shape[0]] + shape.dropFirst().map { $0 + 2 * settings.pad } : shape
  }

  /// The least and greatest value of an input; nil for rows of numbers, which have no bounds.
  public var inputRange: ClosedRange<Double>? { examples.areImages ? settings.range.bounds : nil }

  /// Returns the examples at `indices`, `[batch]` Int64, without augmentation: for measuring.
  public func batch(_ indices: Tensor) throws -> Batch {
    try batch(stored.subset(indices))
  }

  /// Returns a contiguous range of examples without augmentation: for measuring, without a copy of the bytes.
  public func batch(_ range: Range<Int>) throws -> Batch {
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= count else {
      throw DatasetError("asked for examples \(range), expected a range within 0..<\(count)")
    }
    return try batch(stored.slice(range))
  }

  /// Returns the examples at `indices`, shifted and flipped by the settings: for training. Without augmentation
  /// nothing is drawn.
  public func batch(_ indices: Tensor, augmentedBy generator: inout Generator) throws -> Batch {
    let chosen = try stored.subset(indices)
    guard settings.shift > 0 || settings.flip else { return try batch(chosen) }
    return batch(try scaled(augmented(chosen.inputs, using: &generator)), of: chosen)
  }

  private func batch(_ chosen: Examples) throws -> Batch {
    guard chosen.areImages else { return batch(chosen.inputs, of: chosen) }
    let padded = settings.pad > 0 ? try chosen.inputs.padded(settings.pad) : chosen.inputs
    return batch(try scaled(padded), of: chosen)
  }

  private func batch(_ inputs: Tensor, of chosen: Examples) -> Batch {
    Batch(inputs: inputs, labels: chosen.labels, labelled: chosen.isLabelled, weights: chosen.weights)
  }

  /// Converts bytes `[batch, channels, height, width]` to Float32 in the settings' range, channels-last in memory.
  private func scaled(_ bytes: Tensor) throws -> Tensor {
    let shape = bytes.shape
    // Rearranged as bytes, which are a quarter of the floats.
    let floats = shape[1] == 1 ? try bytes.to(.float32) : try bytes.channelsLast().to(.float32)
    let scaled =
      switch settings.range {
      case .unit: try floats / 255
      case .symmetric: try floats / 127.5 - 1
      }
    // One channel has the same layout either way, but convolutions choose their algorithm by the strides.
    return shape[1] == 1 ? try scaled.reshaped([shape[0], shape[2], shape[3], 1]).permuted([0, 3, 1, 2]) : scaled
  }

  /// Pads, then moves and mirrors each image of a batch by draws of its own, in two gathers over all of it: output
  /// pixel `(y, x)` is the padded image's `(y + v, x + h)`, or `(y + v, width - 1 - x + h)` where it is mirrored.
  private func augmented(_ bytes: Tensor, using generator: inout Generator) throws -> Tensor {
    let shift = settings.shift
    let padded = settings.pad + shift > 0 ? try bytes.padded(settings.pad + shift) : bytes
    let (batch, channels, height, width) = try (bytes.size(0), bytes.size(1), inputShape[1], inputShape[2])
    var columns = try Tensor.range(0, width, device: device).reshaped([1, 1, 1, width])
    if settings.flip {
      let mirrored = try generator.integers(0..<2, [batch, 1, 1, 1]).to(device)
      columns = try columns + mirrored * (columns.flipped(axis: 3) - columns)
    }
    var rows: Tensor?
    if shift > 0 {
      let vertical = try generator.integers(0..<2 * shift + 1, [batch, 1, 1, 1]).to(device)
      let horizontal = try generator.integers(0..<2 * shift + 1, [batch, 1, 1, 1]).to(device)
      rows = try Tensor.range(0, height, device: device).reshaped([1, 1, height, 1]) + vertical
      columns = try columns + horizontal
    }
    var result = padded
    if let rows { result = try result.gathered(rows.expanded([batch, channels, height, result.size(3)]), axis: 2) }
    return try result.gathered(columns.expanded([batch, channels, height, width]), axis: 3)
  }
}
