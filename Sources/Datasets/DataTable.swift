import Files
import Foundation
import LatentKit

/// A table of numbers as a file holds it: samples in rows, features in columns.
struct DataTable {
  /// `[samples, features]`, Float32; NaN where a value is missing.
  let inputs: Tensor
  /// One for each feature, all different.
  let featureNames: [String]
  /// One text for each sample.
  let labels: [String]?
  /// The name of each sample, an accession number say; nil where the file has none.
  let ids: [String]?

  /// Reads a file of any kind that is known by its first bytes: `.npy`, `.npz`, else delimited text; gzip or not.
  /// - Throws: `FileError` with the place of the fault in the file.
  init(contentsOf url: URL, _ format: TableFormat) throws {
    self = try DataTable(ByteReader(url).readAll(within: format.limit), format, path: url.path)
  }

  /// Reads the unpacked bytes of such a file.
  init(_ bytes: Data, _ format: TableFormat, path: String) throws {
    if bytes.starts(with: Data("PK".utf8)) {
      self = try DataTable(archive: NumpyArchive(bytes, limit: format.limit, path: path), format)
    } else if bytes.starts(with: NumpyArray.magic) {
      self = try DataTable(array: NumpyArray(bytes, path: path), format, path: path)
    } else {
      self = try bytes.withUnsafeBytes { try DataTable(text: $0.bindMemory(to: UInt8.self), format, path: path) }
    }
  }

  init(inputs: Tensor, featureNames: [String], labels: [String]?, ids: [String]? = nil) {
    (self.inputs, self.featureNames, self.labels, self.ids) = (inputs, featureNames, labels, ids)
  }

  /// Returns the examples with their labels as numbers, and the class names of the numbers.
  ///
  /// Classes are sorted: as whole numbers where all labels are some, else by their characters' code points. Equal
  /// numbers, `1` and `01` say, are classes of their own: the shorter text first, then by code points.
  ///
  /// - Parameter path: The file in messages.
  /// - Throws: `FileError` for labels that look the same.
  func examples(from path: String) throws -> (examples: Examples, classNames: [String]?) {
    guard let labels else { return (try Examples(inputs: inputs), nil) }
    try DataTable.refuseTwins(labels, in: path)
    let names = DataTable.sortedClasses(labels)
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int64($0)) })
    return (try Examples(inputs: inputs, labels: Tensor(labels.map { numbers[$0] ?? 0 })), names)
  }

  /// Refuses labels that Unicode counts as equal and that are written with different characters: é as one character, and
  /// as an e with an accent. As text they are one class, as bytes two.
  ///
  /// - Parameter path: The file or folder that they are from.
  /// - Throws: `FileError` with both.
  static func refuseTwins(_ labels: some Sequence<String>, in path: String) throws {
    var spellings: [String: String] = [:]
    for label in labels where !label.utf8.allSatisfy({ $0 < 0x80 }) {
      guard let other = spellings.updateValue(label, forKey: label), !other.utf8.elementsEqual(label.utf8) else {
        continue
      }
      throw FileError(
        path,
        "has the label '\(other)' written in two ways, \(codes(other)) and \(codes(label)), expected one; write all "
          + "in one Unicode normal form")
    }
  }

  /// The characters that are not ASCII as `U+00E9`.
  private static func codes(_ text: String) -> String {
    text.unicodeScalars.filter { !$0.isASCII }.prefix(8).map {
      "U+" + String(repeating: "0", count: max(4 - String($0.value, radix: 16).count, 0))
        + String($0.value, radix: 16, uppercase: true)
    }.joined(separator: " ")
  }

  static func sortedClasses(_ labels: [String]) -> [String] {
    let names = Set(labels)
    let byCharacter = names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    let numbers = byCharacter.compactMap { Int($0) }
    guard numbers.count == names.count else { return byCharacter }
    let keys = zip(numbers, byCharacter).enumerated().map { ($1.0, $1.1.count, $0) }
    return keys.sorted { $0 < $1 }.map { byCharacter[$0.2] }
  }
}

extension ByteReader {
  /// Reads everything that is left.
  /// - Throws: `FileError` for a gzip file that unpacks to more than the limit, with no more memory taken than that.
  func readAll(within limit: UnpackLimit) throws -> Data {
    var data = Data()
    if !isCompressed { data.reserveCapacity(fileSize) }
    while true {
      let piece = try read(1 << 24)
      if isCompressed { try limit.check(data.count + piece.count, of: path) }
      data.append(contentsOf: piece)
      if piece.count < 1 << 24 { return data }
    }
  }
}
