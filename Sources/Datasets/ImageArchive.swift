import Files
import Foundation
import LatentKit

/// Images and labels in an `.npz` file: arrays called `x_train`, `y_train`, `x_test`, `y_test` (Keras) or `train_images`,
/// `train_labels`, … (MedMNIST), or one pair called `x` and `y`, or `images` and `labels`.
///
/// Images are `[count, height, width]`, `[count, height, width, channels]` or `[count, channels, height, width]` with 1 or
/// 3 channels; of bytes, truth values, whole numbers from 0 to 255, or fractions from 0 to 1, which are scaled to bytes.
struct ImageArchive {
  private static let imageNames = ["x", "images", "data", "inputs"]
  private static let labelNames = ["y", "labels", "label", "class", "target"]
  private static let parts = [
    ["train", "training"], ["val", "valid", "validation"], ["test", "testing"],
  ]

  private let url: URL
  private let archive: NumpyArchive
  /// SHA-256 of the file.
  private let digest: String

  /// Reads the archive's directory.
  /// - Throws: `FileError` for a file that is no archive of arrays, or is damaged.
  init(contentsOf url: URL, limit: UnpackLimit = .usual) throws {
    try self.init(ByteReader(url).readAll(within: limit), limit: limit, url: url)
  }

  init(_ bytes: Data, limit: UnpackLimit = .usual, url: URL) throws {
    guard bytes.starts(with: Data("PK".utf8)) else {
      throw FileError(url.path, "is neither a folder nor an .npz file, expected one of them with images")
    }
    self.url = url
    archive = try NumpyArchive(bytes, limit: limit, path: url.path)
    digest = try Checksum(.sha256, of: bytes).digits
  }

  /// Reads all parts.
  /// - Throws: `FileError` where images or labels are not of such a form, or do not fit each other.
  func dataset(_ fit: ImageFit = ImageFit()) throws -> Dataset {
    var pairs = ImageArchive.parts.map { part in
      (images: find(ImageArchive.imageNames, part), labels: find(ImageArchive.labelNames, part))
    }
    if pairs[0].images == nil {
      pairs = [(find(ImageArchive.imageNames, []), find(ImageArchive.labelNames, [])), (nil, nil), (nil, nil)]
    }
    guard let first = pairs[0].images else {
      throw FileError(
        url.path,
        "holds arrays \(archive.names.joined(separator: ", ")), expected images called x or images, or x_train or "
          + "train_images")
    }
    let labels = try pairs.map { pair in try pair.labels.map { try classes($0) } }
    let names = labels[0].map { DataTable.sortedClasses($0) }
    let parts = try zip(pairs, labels).map { pair, labels in
      try pair.images.map { try examples($0, labels, names, fit, labelled: pair.labels) }
    }
    guard let train = parts[0] else { throw FileError(url.path, "has no array '\(first)'") }
    if let names, names.count > train.count / 2, let first = names.first {
      throw FileError(
        url.path,
        "has \(names.count) different labels for \(train.count) images, such as '\(first)', expected classes of several "
          + "images")
    }
    return try Dataset(
      name: DatasetLibrary.imagesName, title: url.lastPathComponent, train: train, validation: parts[1], test: parts[2],
      classNames: names, digest: digest, origin: .files([url]))
  }

  /// The array of one of some names, alone or beside the name of a part, on either side.
  private func find(_ names: [String], _ part: [String]) -> String? {
    let wanted = part.isEmpty ? names : names.flatMap { name in part.flatMap { ["\(name)_\($0)", "\($0)_\(name)"] } }
    return archive.names.first { wanted.contains($0.lowercased()) }
  }

  private func classes(_ name: String) throws -> [String] {
    let array = try archive.array(name)
    guard array.shape.count == 1 || array.shape.count == 2 && array.shape[1] == 1 else {
      throw FileError("\(url.path), array '\(name)'", "has the shape \(array.shape), expected one label for each image")
    }
    return array.classNames(at: 0..<array.count)
  }

  private func examples(
    _ name: String, _ labels: [String]?, _ classNames: [String]?, _ fit: ImageFit, labelled: String?
  ) throws -> Examples {
    let place = "\(url.path), array '\(name)'"
    let inputs = try fitted(images(name, place: place), fit, place: place)
    guard (labels == nil) == (classNames == nil) else {
      throw FileError(
        place, labels == nil ? "has no labels, and the training part has" : "has labels, and the training part has none"
      )
    }
    guard let labels, let classNames else { return try Examples(inputs: inputs) }
    guard labels.count == inputs.shape[0] else {
      throw FileError(
        place, "holds \(grouped(inputs.shape[0])) images and \(grouped(labels.count)) labels, expected as many")
    }
    let numbers = Dictionary(uniqueKeysWithValues: classNames.enumerated().map { ($1, Int64($0)) })
    let found = try labels.enumerated().map { position, label in
      guard let number = numbers[label] else {
        throw FileError(
          "\(url.path), array '\(labelled ?? name)'",
          "found label \(label) at position \(position), expected one of the training part's: "
            + classNames.prefix(20).joined(separator: ", "))
      }
      return number
    }
    return try Examples(inputs: inputs, labels: Tensor(found))
  }

  /// `[count, channels, height, width]`, UInt8.
  private func images(_ name: String, place: String) throws -> Tensor {
    let array = try archive.array(name, asBytes: true)
    let shape = array.shape
    let isChannelsLast = shape.count == 4 && [1, 3].contains(shape[3])
    guard shape.count == 3 || isChannelsLast || shape.count == 4 && [1, 3].contains(shape[1]) else {
      throw FileError(
        place,
        "has the shape \(shape), expected [count, height, width], [count, height, width, channels] or [count, channels, "
          + "height, width] with 1 or 3 channels")
    }
    guard array.count > 0 else { throw FileError(place, "has the shape \(shape), expected at least one image") }
    var bytes = try array.bytes ?? pixels(of: array, place: place)
    if array.isTruth { bytes = Data(bytes.map { $0 == 0 ? 0 : 255 }) }
    switch shape.count {
    case 3: return try Tensor(bytes: bytes, shape: [shape[0], 1, shape[1], shape[2]], dtype: .uint8)
    case _ where isChannelsLast:
      return try Tensor(bytes: bytes, shape: shape, dtype: .uint8).permuted([0, 3, 1, 2]).contiguous()
    default: return try Tensor(bytes: bytes, shape: shape, dtype: .uint8)
    }
  }

  /// Numbers as bytes: fractions from 0 to 1 are scaled, whole numbers from 0 to 255 stay.
  private func pixels(of array: NumpyArray, place: String) throws -> Data {
    guard let numbers = array.numbers else { throw FileError(place, "holds text, expected the values of pixels") }
    if let position = numbers.firstIndex(where: { !($0 >= 0 && $0 <= 255) }) {
      throw FileError(
        place, "found \(numbers[position]) at position \(position), expected 0 to 1, or whole numbers from 0 to 255")
    }
    let isUnit = array.holdsFractions && !numbers.contains { $0 > 1 }
    if !isUnit, let position = numbers.firstIndex(where: { $0 != $0.rounded() }) {
      throw FileError(
        place,
        "found \(numbers[position]) at position \(position) beside values above 1, expected fractions from 0 to 1, or "
          + "whole numbers from 0 to 255")
    }
    return Data(numbers.map { UInt8(isUnit ? ($0 * 255).rounded() : $0) })
  }

  private func fitted(_ images: Tensor, _ fit: ImageFit, place: String) throws -> Tensor {
    let (channels, height, width) = (images.shape[1], images.shape[2], images.shape[3])
    let isSized = fit.size.map { $0 == (height, width) } ?? true
    if isSized, fit.colours == .auto || (fit.colours == .rgb ? 3 : 1) == channels { return images }
    let size = channels * height * width
    let made = fit.size ?? (height, width)
    try fit.requireMemory(
      for: images.shape[0], height: made.height, width: made.width,
      channels: fit.colours == .auto ? channels : fit.colours == .rgb ? 3 : 1)
    let bytes = try images.permuted([0, 2, 3, 1]).contiguous().bytes()
    var result = Data()
    var shape = [images.shape[0]]
    for position in 0..<images.shape[0] {
      let picture = try bytes.withUnsafeBytes { all in
        let part = UnsafeRawBufferPointer(rebasing: all[(position * size)..<((position + 1) * size)])
        return try DecodedImage(
          part.bindMemory(to: UInt8.self), width: width, height: height, channels: channels, path: place)
      }
      let small = try fit.fit(picture, path: place)
      let isGrey = small.channels == 1 && fit.colours == .rgb
      if shape.count == 1 { shape += [small.height, small.width, isGrey ? 3 : small.channels] }
      result.append(contentsOf: isGrey ? small.pixels.flatMap { [$0, $0, $0] } : small.pixels)
    }
    return try Tensor(bytes: result, shape: shape, dtype: .uint8).permuted([0, 3, 1, 2]).contiguous()
  }
}
