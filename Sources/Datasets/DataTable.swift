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
  /// The name of the column of ids; nil for none, and for files whose names of samples are no column.
  var idColumn: String?
  /// A sentence on what a person should know of the file; nil for nothing.
  var remark: String?

  /// Reads a file of any kind that is known by its first bytes: `.npy`, `.npz`, `.h5ad`, else delimited text; all but `.h5ad`
  /// gzip or not.
  /// - Throws: `FileError` with the place of the fault in the file.
  init(contentsOf url: URL, _ format: TableFormat) throws {
    self = try DataTable.withDigest(contentsOf: url, format).table
  }

  /// Reads such a file, and returns the MD5 of its unpacked bytes with it.
  static func withDigest(contentsOf url: URL, _ format: TableFormat) throws -> (table: DataTable, digest: String) {
    if HDF5File.isOne(url) {
      let table = try DataTable(annData: url, format).selecting(format.features, from: url.path)
      return (table, try Checksum(.md5, of: url).digits)
    }
    let bytes = try ByteReader(url).readAll(within: format.limit)
    let table = try DataTable(bytes, format, path: url.path).selecting(format.features, from: url.path)
    return (table, try Checksum(.md5, of: bytes).digits)
  }

  /// Reads the unpacked bytes of such a file.
  init(_ bytes: Data, _ format: TableFormat, path: String) throws {
    guard !bytes.starts(with: HDF5File.magic) else {
      throw FileError(path, "is a packed HDF5 file; unpack it, by gunzip say")
    }
    if let layer = format.layer {
      throw FileError(path, "is no .h5ad file, and data.layer=\(layer) is for those; leave it out")
    }
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

  /// Returns the table with some columns alone, in their order; as it is for nil.
  /// - Throws: `FileError` where it lacks one.
  private func selecting(_ wanted: [String]?, from path: String) throws -> DataTable {
    guard let wanted, wanted != featureNames else { return self }
    let places = Dictionary(uniqueKeysWithValues: zip(featureNames, featureNames.indices))
    let missing = wanted.filter { places[$0] == nil }
    guard missing.isEmpty else {
      throw FileError(
        path,
        "lacks \(grouped(missing.count)) of the \(grouped(wanted.count)) columns that the model takes, the first "
          + "'\(missing[0])', and has \(featureNames.isEmpty ? "none of them" : featureNames.listed(atMost: 3)); add them, rename them "
          + "as they were in training, or set how the file is read, as in --set data.separator=comma")
    }
    let order = try Tensor(wanted.compactMap { places[$0].map(Int64.init) })
    return DataTable(
      inputs: try inputs.transposed().rows(order).transposed().contiguous(), featureNames: wanted, labels: labels,
      ids: ids)
  }

  /// Creates the table of a matrix, without the columns that are dropped and that of the labels.
  ///
  /// - Parameters:
  ///   - values: Row by row.
  ///   - names: One for each column.
  ///   - label: The index of the labels' column.
  ///   - place: The words for a value's row and column, counted from 0, in messages.
  /// - Throws: `FileError` where nothing is left, for a column to drop that is not there, for infinities, and for NaN where
  ///   missing values are refused.
  init(
    values: [Float], names: [String], label: Int? = nil, labels: [String]?, ids: [String]?, _ format: TableFormat,
    path: String, place: (Int, Int) -> String
  ) throws {
    let dropped = try format.droppedPlaces(names, path: path)
    let features = names.indices.filter { $0 != label && !dropped.contains($0) }
    guard !features.isEmpty else { throw FileError(path, "has no column of numbers beside the labels") }
    let count = values.count / names.count
    let chosen =
      features.count == names.count
      ? values : (0..<count).flatMap { row in features.map { values[row * names.count + $0] } }
    if let bad = chosen.firstIndex(where: { !$0.isFinite && !($0.isNaN && format.missing == .keep) }) {
      let advice = chosen[bad].isNaN ? "; set data.missing=keep and add the transform 'impute'" : ""
      let place = place(bad / features.count, features[bad % features.count])
      throw FileError(path, "\(place): found \(chosen[bad]), expected a finite number\(advice)")
    }
    self.init(
      inputs: try Tensor(chosen, shape: [count, features.count]), featureNames: features.map { names[$0] },
      labels: labels, ids: ids)
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
