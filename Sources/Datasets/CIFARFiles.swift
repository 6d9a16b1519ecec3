import Files
import Foundation
import LatentKit

/// CIFAR-10's binary files: records of a label and 3 x 32 x 32 bytes, red, green, blue, each row by row. Plain or gzip.
package struct CIFARFiles: PublishedImages {
  private static let recordLength = 1 + 3 * 32 * 32
  /// The most bytes of a packed file: ten times a published one.
  private static let limit = UnpackLimit(mebibytes: 300)

  package init() {}

  func dataset(_ description: DatasetDescription, _ files: [URL]) throws -> Dataset {
    let parts = try files.map { try CIFARFiles.examples(contentsOf: $0) }
    let train = try Examples(
      inputs: .concatenate(parts.dropLast().map(\.inputs)), labels: .concatenate(parts.dropLast().compactMap(\.labels)))
    guard let test = parts.last else { throw DatasetError("\(description.name): found no files") }
    var dataset = try Dataset(
      name: description.name, title: description.title, train: train, test: test, classNames: description.classNames,
      origin: .files(files))
    if train.count < description.trainCount {
      dataset.remark =
        "data '\(description.name)' has \(grouped(train.count)) + \(grouped(test.count)) images here, of "
        + "\(grouped(description.trainCount)) + \(grouped(description.testCount)); 'host data fetch \(description.name)' "
        + "gets the full set"
    }
    return dataset
  }

  /// Reads one file.
  /// - Throws: `FileError` for a file that is truncated or corrupted, or has a label above 9.
  package static func examples(contentsOf url: URL) throws -> Examples {
    try examples(ByteReader(url).readAll(within: limit), path: url.path)
  }

  /// Reads the unpacked bytes of such a file.
  static func examples(_ bytes: Data, path: String) throws -> Examples {
    guard !bytes.isEmpty, bytes.count % recordLength == 0 else {
      throw FileError(
        path,
        "is truncated or no file of CIFAR-10: found \(grouped(bytes.count)) bytes, expected records of "
          + "\(grouped(recordLength)); get the file again")
    }
    let count = bytes.count / recordLength
    let labels: [Int64] = bytes.withUnsafeBytes { (all: UnsafeRawBufferPointer) -> [Int64] in
      (0..<count).map { Int64(all[$0 * recordLength]) }
    }
    if let position = labels.firstIndex(where: { $0 > 9 }) {
      throw FileError(path, "found label \(labels[position]) at position \(position), expected 0 to 9")
    }
    let records = try Tensor(bytes: bytes, shape: [count, recordLength], dtype: .uint8)
    let pixels = try records.slice(1..<recordLength, axis: 1).contiguous().reshaped([count, 3, 32, 32])
    return try Examples(inputs: pixels, labels: Tensor(labels))
  }
}
