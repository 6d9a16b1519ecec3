import CReaders
import Files
import Foundation
import LatentKit

/// A column of `obs` in an AnnData file: a value for each row.
package enum AnnDataColumn {
  /// Classes by name, as one of `names` each.
  case categories([String], of: [String])
  case texts([String])
  case numbers([Float])

  fileprivate var count: Int {
    switch self {
    case .categories(let values, _), .texts(let values): values.count
    case .numbers(let values): values.count
    }
  }
}

/// Rows of numbers as an AnnData file, `.h5ad`, which `anndata.read_h5ad` and scanpy open.
///
///     try AnnData(rows: rows, featureNames: genes, columns: [("label", .categories(labels, of: classes))]).write(to: url)
package struct AnnData {
  /// X, `[samples, features]`.
  package var rows: Tensor
  /// `var_names`.
  package var featureNames: [String]
  /// `obs_names`; nil: 0, 1, ….
  package var ids: [String]?
  /// The columns of `obs`, in their order.
  package private(set) var columns: [(name: String, values: AnnDataColumn)]
  /// `obsm`: more numbers about each row, `[samples, any]`.
  package var embeddings: [(name: String, values: Tensor)]

  package init(
    rows: Tensor, featureNames: [String], ids: [String]? = nil, columns: [(name: String, values: AnnDataColumn)] = [],
    embeddings: [(name: String, values: Tensor)] = []
  ) {
    (self.rows, self.featureNames, self.ids) = (rows, featureNames, ids)
    // A slash in a name would stand for a group.
    self.columns = columns.map { ($0.name.replacing("/", with: "_"), $0.values) }
    self.embeddings = embeddings
  }

  /// Writes the file, in the form of anndata 0.8 and later. The same contents give the same bytes.
  ///
  /// - Throws: `FileError` where the file cannot be written, `DatasetError` for counts that differ.
  package func write(to url: URL) throws {
    let count = try rows.size(0)
    let counts =
      [ids?.count].compactMap { $0 } + columns.map(\.values.count) + (try embeddings.map { try $0.values.size(0) })
    guard rows.rank == 2, try rows.size(1) == featureNames.count, counts.allSatisfy({ $0 == count }) else {
      throw DatasetError(
        "found rows of shape \(rows.shape), \(featureNames.count) names of features and columns of \(counts) values; give "
          + "each feature a name and each row a value")
    }
    let bytes = try HDF5Writer.bytes(for: url.path) { file in
      try file.describe("/", as: "anndata", "0.1.0")
      try file.array("X", rows)
      try frame("obs", index: ids ?? (0..<count).map(String.init), columns, file)
      try frame("var", index: featureNames, [], file)
      if !embeddings.isEmpty {
        try file.group("obsm", as: "dict", "0.1.0")
        for (name, values) in embeddings { try file.array("obsm/\(name)", values) }
      }
    }
    try AtomicFile.write(bytes, to: url)
  }

  private func frame(
    _ name: String, index: [String], _ columns: [(name: String, values: AnnDataColumn)], _ file: HDF5Writer
  ) throws {
    try file.group(name, as: "dataframe", "0.2.0")
    let indexName = unusedName(columns)
    try file.texts([indexName], of: name, attribute: "_index", isOne: true)
    try file.texts(columns.map(\.name), of: name, attribute: "column-order")
    try file.texts(index, as: "\(name)/\(indexName)")
    for (column, values) in columns {
      let place = "\(name)/\(column)"
      switch values {
      case .texts(let texts): try file.texts(texts, as: place)
      case .numbers(let numbers): try file.array(place, Tensor(numbers, shape: [numbers.count]))
      case .categories(let texts, let names):
        let codes = Dictionary(names.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
        try file.group(place, as: "categorical", "0.2.0")
        try file.truth(false, of: place, attribute: "ordered")
        try file.codes(texts.map { codes[$0] ?? -1 }, as: "\(place)/codes")
        try file.texts(names, as: "\(place)/categories")
      }
    }
  }

  private func unusedName(_ columns: [(name: String, values: AnnDataColumn)]) -> String {
    var name = "_index"
    while columns.contains(where: { $0.name == name }) { name += "_" }
    return name
  }
}

/// An HDF5 file that is made in memory.
private struct HDF5Writer {
  private let handle: cr_h5
  private let path: String

  /// Returns the bytes of a file after `body` filled it.
  static func bytes(for path: String, _ body: (HDF5Writer) throws -> Void) throws -> Data {
    try HDF5File.exclusively {
      var (handle, text) = (cr_h5(0), [CChar](repeating: 0, count: CR_MESSAGE_LENGTH))
      guard cr_h5_create(&handle, &text) == CR_OK else { throw refused(path, text) }
      defer { cr_h5_close(handle) }
      try body(HDF5Writer(handle: handle, path: path))
      let size = cr_h5_image(handle, nil, 0)
      guard size > 0 else { throw refused(path, text) }
      var data = Data(count: Int(size))
      let written = data.withUnsafeMutableBytes { cr_h5_image(handle, $0.baseAddress, $0.count) }
      guard written == size else { throw refused(path, text) }
      return data
    }
  }

  private static func refused(_ path: String, _ text: [CChar]) -> FileError {
    FileError(path, "cannot be made by libhdf5: \(message(text))")
  }

  private func check(_ write: (inout [CChar]) -> Int32) throws {
    var text = [CChar](repeating: 0, count: CR_MESSAGE_LENGTH)
    guard write(&text) == CR_OK else { throw HDF5Writer.refused(path, text) }
  }

  /// Says how anndata is to read what has a name.
  func describe(_ name: String, as kind: String, _ version: String) throws {
    try texts([kind], of: name, attribute: "encoding-type", isOne: true)
    try texts([version], of: name, attribute: "encoding-version", isOne: true)
  }

  func group(_ name: String, as kind: String, _ version: String) throws {
    try check { cr_h5_make_group(handle, name, &$0) }
    try describe(name, as: kind, version)
  }

  func array(_ name: String, _ tensor: Tensor) throws {
    let shape = tensor.shape.map(Int64.init)
    let values = try tensor.detached().to(.float32, .cpu).contiguous().floats()
    try check { text in
      values.withUnsafeBytes {
        cr_h5_write(handle, name, nil, letter("f"), Int32(shape.count), shape, $0.baseAddress, &text)
      }
    }
    try describe(name, as: "array", "0.2.0")
  }

  func codes(_ codes: [Int32], as name: String) throws {
    try check { text in
      codes.withUnsafeBytes {
        cr_h5_write(handle, name, nil, letter("i"), 1, [Int64(codes.count)], $0.baseAddress, &text)
      }
    }
    try describe(name, as: "array", "0.2.0")
  }

  func truth(_ truth: Bool, of name: String, attribute: String) throws {
    try check { text in
      withUnsafeBytes(of: Int8(truth ? 1 : 0)) {
        cr_h5_write(handle, name, attribute, letter("t"), 0, nil, $0.baseAddress, &text)
      }
    }
  }

  func texts(_ texts: [String], as name: String) throws {
    try write(texts, name, nil, rank: 1)
    try describe(name, as: "string-array", "0.2.0")
  }

  func texts(_ texts: [String], of name: String, attribute: String, isOne: Bool = false) throws {
    try write(texts, name, attribute, rank: isOne ? 0 : 1)
  }

  private func write(_ texts: [String], _ name: String, _ attribute: String?, rank: Int32) throws {
    let copies = texts.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers = copies.map { UnsafePointer($0) }
    try check { cr_h5_write_texts(handle, name, attribute, rank, texts.count, pointers, &$0) }
  }

  private func letter(_ character: Unicode.Scalar) -> CChar { CChar(truncatingIfNeeded: character.value) }
}
