import Datasets
import Files
import Foundation
import LatentKit

/// A file of draws: all of them, whatever a picture has room for.
///
/// The arrays are `latents` `[count, latent]`, `decoded` where the model has a decoder, and `labels` `[count]` where draws are
/// of classes. Decoded images are `[count, channels, height, width]`, brightness from 0 to 1 and without padding; values
/// beyond are not cut off. Decoded rows are in the units of their table. A `.csv` file has a line for each draw, with the
/// columns `latent 1`, `latent 2`, …, then `pixel 1`, … or the table's features, then `label` with the class's name. A `.h5ad`
/// file has the decoded examples in X, the latents in `obsm['X_latent']`, and the class's name in `obs['label']`.
public enum SampleFormat: String, CaseIterable, Sendable {
  case npz, csv, safetensors, h5ad

  /// - Throws: `FileError` for a name that ends in none of the formats.
  public init(_ url: URL) throws {
    guard let format = SampleFormat(rawValue: url.pathExtension.lowercased()) else {
      let known = SampleFormat.allCases.map { ".\($0.rawValue)" }.joined(separator: ", ")
      throw FileError(url.path, "is no name for a file of draws, expected one that ends in \(known)")
    }
    self = format
  }
}

extension Session {
  /// Writes every draw, as `SampleFormat` says.
  ///
  /// - Throws: `FileError` for a name of no known format, and where the file cannot be written.
  public func writeDraws(_ samples: Samples, to url: URL) throws {
    let format = try SampleFormat(url)
    var arrays = [(name: "latents", tensor: samples.draw.latents)]
    if let decoded = samples.images { arrays.append(("decoded", try presented(decoded))) }
    if samples.areOfClasses, let labels = samples.labels { arrays.append(("labels", labels)) }
    arrays = try arrays.map { ($0.name, try $0.tensor.detached().to(.cpu).contiguous()) }
    switch format {
    case .npz: try NumpyArchive.write(arrays, to: url)
    case .safetensors:
      try Safetensors.write(Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.tensor) }), to: url)
    case .csv: try writeTable(arrays, to: url)
    case .h5ad: try writeAnnData(samples, to: url)
    }
  }

  /// Writes every draw as an AnnData file; X has the latents where the model has no decoder.
  func writeAnnData(_ samples: Samples, to url: URL) throws {
    let latents = samples.draw.latents
    let rows = try samples.images.map(presented)?.flattened() ?? latents
    let noun = samples.images == nil ? "latent" : "pixel"
    let names = dataset.featureNames.flatMap { samples.images == nil ? nil : $0 }
    let width = try rows.size(1)
    let classes = samples.areOfClasses ? try samples.labels?.ints() : nil
    let classCount = dataset.classCount ?? 0
    try AnnData(
      rows: rows, featureNames: names ?? (1...max(width, 1)).prefix(width).map { "\(noun) \($0)" },
      columns: classes.map {
        [("label", .categories($0.map(className), of: (0..<classCount).map(className)))]
      } ?? [], embeddings: [("X_latent", latents)]
    ).write(to: url)
  }

  private func writeTable(_ arrays: [(name: String, tensor: Tensor)], to url: URL) throws {
    let classes = try arrays.first { $0.name == "labels" }?.tensor.ints().map(className)
    let blocks = try arrays.filter { $0.name != "labels" }.map { name, tensor in
      let rows = try tensor.flattened()
      let size = try rows.size(1)
      let names = (1...max(size, 1)).prefix(size).map { "\(name == "latents" ? "latent" : "pixel") \($0)" }
      return (names: name == "latents" ? names : dataset.featureNames ?? names, rows: rows)
    }
    try writeRows(blocks, classes: classes, to: url)
  }

  /// What the model makes, in terms of the data: rows in their own units, images as `brightness(of:)`.
  private func presented(_ decoded: Tensor) throws -> Tensor {
    training.examples.areImages ? try brightness(of: decoded) : try transforms.invert(decoded)
  }

  /// What the model reads or makes, `[count, channels, height, width]`, without padding, from 0 to 1, on the CPU.
  func brightness(of images: Tensor) throws -> Tensor {
    try composition.data.inputs.brightness(of: images.to(.float32, .cpu))
  }
}
