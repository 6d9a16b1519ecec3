import LatentKit

/// Groups of convolutions that each halve an image, and a linear embedding of what is left, scaled to length 1 where asked.
struct EmbeddingNetwork: Sendable {
  private let groups: [any Layer]
  private let dropout: Dropout
  private let embedding: Linear
  private let isNormalized: Bool

  /// - Parameters:
  ///   - widths: The channels that each group makes.
  ///   - dropout: The share of the embedding's inputs that is dropped in training.
  ///   - group: Returns the layers of a group, which halve an image, given its number from 0, its channels in and out, and its scope.
  init(
    widths: [Int], latent: Int, isNormalized: Bool, dropout: Double = 0, in context: BuildContext,
    group: (_ index: Int, _ from: Int, _ to: Int, Scope) throws -> [any Layer]
  ) throws {
    let (channels, height, width) = try context.requireImage()
    let least = 1 << widths.count
    guard height >= least, width >= least else {
      throw RecipeError(
        "\(context.title) halves images \(widths.count) times, found images of \(height)x\(width), expected sides of "
          + "\(least) or more; use fewer encoder.widths, or pad the data (data.pad)")
    }
    groups = try zip([channels] + widths, widths).enumerated().map { index, widths in
      Sequential(try group(index, widths.0, widths.1, context.scope("group\(index + 1)")))
    }
    let left = (widths.last ?? channels) * (height / least) * (width / least)
    self.dropout = try Dropout(dropout, in: context.scope)
    embedding = try Linear(left, latent, in: context.scope("embedding"))
    self.isNormalized = isNormalized
  }

  func encode(_ images: Tensor) throws -> Code { try code(groups.reduce(images) { try $1($0) }) }

  func features(_ images: Tensor) throws -> [Tensor] {
    var features: [Tensor] = []
    for group in groups { features.append(try group(features.last ?? images)) }
    return features
  }

  func encodeWithFeatures(_ images: Tensor) throws -> (code: Code, features: [Tensor]) {
    let features = try features(images)
    return (try code(features.last ?? images), features)
  }

  private func code(_ last: Tensor) throws -> Code {
    let embedded = try embedding(dropout(last.flattened()))
    return .point(isNormalized ? try embedded.unitRows() : embedded)
  }
}

extension Tensor {
  /// Returns rows `[count, latent]` of length 1; rows of zeros stay zeros.
  func unitRows() throws -> Tensor {
    // Inside the root, where its gradient stays finite at 0.
    try self * (square().sum(axis: 1, keep: true) + 1e-24).rsqrt()
  }
}

extension SettingRange {
  /// Channels of groups of convolutions that each halve an image.
  static let channels = SettingRange.within(1...4096).each(count: 1...8)
}
