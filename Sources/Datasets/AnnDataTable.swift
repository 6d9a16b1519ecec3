import Files
import Foundation
import LatentKit

extension DataTable {
  /// Reads an AnnData file, `.h5ad`: its X, or one of its layers, dense or sparse; the names of features and samples are those of
  /// `var` and `obs`, and labels a column of `obs`.
  ///
  /// - Throws: `FileError` for a file of HDF5 that is no AnnData, is damaged, or lacks what the format names.
  init(annData url: URL, _ format: TableFormat) throws {
    self = try HDF5File.read(url, within: format.limit) { try AnnDataReader(file: $0, format: format).table() }
  }
}

private struct AnnDataReader {
  let file: HDF5File
  let format: TableFormat

  func table() throws -> DataTable {
    try refuseSettingsOfText()
    let held = try file.names(in: "/")
    guard held.contains("obs"), held.contains("var") else {
      throw FileError(
        file.path,
        "is an HDF5 file with \(held.isEmpty ? "nothing" : held.listed(atMost: 10)), expected an AnnData file with X, obs "
          + "and var, as adata.write_h5ad saves it")
    }
    let (samples, features) = (try AnnDataFrame(file, "obs"), try AnnDataFrame(file, "var"))
    let (name, shape, values) = try matrix()
    guard shape == [samples.index.count, features.index.count] else {
      throw FileError(
        file.place(name),
        "has the shape \(shape), expected \([samples.index.count, features.index.count]) by the names in obs and var; save "
          + "it again by adata.write_h5ad")
    }
    guard !shape.contains(0) else { throw FileError(file.place(name), "is empty: found the shape \(shape)") }
    var seen: Set<String> = []
    if let twice = features.index.first(where: { !seen.insert($0).inserted }) {
      throw FileError(
        file.path, "has two features called '\(twice)'; make their names differ by adata.var_names_make_unique()")
    }
    return try DataTable(
      values: values, names: features.index, labels: labels(samples), ids: ids(samples), format, path: file.path
    ) { "sample '\(samples.index[$0])', feature '\(features.index[$1])'" }
  }

  private func refuseSettingsOfText() throws {
    let ofText = [
      ("separator", format.separator != .auto), ("decimal", format.decimal != .point), ("header", format.header != nil),
      ("samples", format.samples != .rows),
    ]
    guard let setting = ofText.first(where: \.1)?.0 else { return }
    throw FileError(file.path, "is of AnnData, and data.\(setting) is for other files; leave it out")
  }

  /// The names of the samples: those of the index, or a column of obs.
  private func ids(_ samples: AnnDataFrame) throws -> [String] {
    switch format.id {
    case nil, .name("none"): return samples.index
    case let id?:
      guard let column = id.place(in: samples.columns).map({ samples.columns[$0] }) else {
        throw FileError(file.path, UnknownName("\(id)", among: samples.columns, of: "column of obs").description)
      }
      return try samples.values(of: column).map { $0 ?? "" }
    }
  }

  // MARK: Labels

  private func labels(_ samples: AnnDataFrame) throws -> [String]? {
    let known = samples.columns
    let column: String?
    switch format.label {
    case .name("none"): return nil
    case .name(let name) where !known.contains(name) && format.features != nil: return nil
    case .name(let name) where !known.contains(name):
      throw FileError(file.path, UnknownName(name, among: known, of: "column of obs").description)
    case let wanted?: column = wanted.place(in: known).map { known[$0] }
    case nil: column = known.first { TableFormat.usualForLabels.contains($0.lowercased()) }
    }
    if column == nil, format.features != nil { return nil }
    guard let column else {
      let columns = known.isEmpty ? "no columns" : "the columns \(known.listed(atMost: 20))"
      throw FileError(
        file.path,
        "has \(columns) in obs, expected one of labels; name it by data.label, a file of labels by data.labelFile, or set "
          + "data.label=none")
    }
    let values = try samples.values(of: column)
    let missing = values.indices.filter { values[$0] == nil || values[$0] == "" }
    if let first = missing.first {
      throw FileError(
        file.path,
        "has no value in column '\(column)' of obs for \(grouped(missing.count)) of \(grouped(values.count)) samples, the "
          + "first '\(samples.index[first])'; leave them out by adata[adata.obs['\(column)'].notna()], or name another "
          + "column by data.label")
    }
    return values.compactMap { $0 }
  }

  // MARK: The matrix

  /// The values row by row, with the name and the shape of the matrix.
  private func matrix() throws -> (name: String, shape: [Int], values: [Float]) {
    let layers = file.kind("layers") == .group ? try file.names(in: "layers") : []
    let name = format.layer.map { "layers/\($0)" } ?? "X"
    if let layer = format.layer, !layers.contains(layer) {
      throw FileError(file.path, UnknownName(layer, among: layers, of: "layer").description)
    }
    switch file.kind(name) {
    case .absent:
      let advice = layers.isEmpty ? "" : "; data.layer takes one of its layers: \(layers.listed(atMost: 10))"
      throw FileError(file.path, "has no '\(name)', expected the samples' values\(advice)")
    case .array:
      let shape = try file.facts(name)?.shape ?? []
      guard shape.count == 2 else {
        throw FileError(file.place(name), "has the shape \(shape), expected [samples, features]")
      }
      return (name, shape, try file.floats(name))
    case .group: return try sparse(name)
    }
  }

  /// Compressed rows or columns: the values of row `r` are `data[indptr[r]..<indptr[r + 1]]`, in the columns `indices`.
  private func sparse(_ name: String) throws -> (name: String, shape: [Int], values: [Float]) {
    // Before anndata 0.7: `h5sparse_format`.
    let kind = try file.texts(name, "encoding-type")?.first ?? file.texts(name, "h5sparse_format")?.first ?? "a group"
    let isByRow = kind.hasPrefix("csr")
    guard isByRow || kind.hasPrefix("csc"),
      let key = try ["shape", "h5sparse_shape"].first(where: { try file.facts(name, $0) != nil })
    else {
      throw FileError(file.place(name), "is of the kind '\(kind)', expected an array, csr_matrix or csc_matrix")
    }
    let shape = try file.integers(name, key)
    guard shape.count == 2, shape.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw FileError(file.place(name), "has the shape \(shape), expected [samples, features]")
    }
    let (lines, width) = isByRow ? (shape[0], shape[1]) : (shape[1], shape[0])
    for part in ["data", "indices", "indptr"] where file.kind("\(name)/\(part)") != .array {
      throw FileError(file.place(name), "is sparse and has no '\(part)'; save it again by adata.write_h5ad")
    }
    let (stored, indices) = (try file.floats("\(name)/data"), try file.integers("\(name)/indices"))
    let starts = try file.integers("\(name)/indptr")
    // Without that, what follows would read beyond an end.
    let isWhole =
      stored.count == indices.count && starts.count == lines + 1 && starts.first == 0 && starts.last == stored.count
      && zip(starts, starts.dropFirst()).allSatisfy(<=) && indices.allSatisfy { (0..<width).contains($0) }
    guard isWhole else {
      throw FileError(
        file.place(name), "is corrupted: its indices do not fit a sparse matrix of \(shape); get the file again")
    }
    try format.limit.check(shape[0] * shape[1] * MemoryLayout<Float>.size, of: file.place(name))
    var values = [Float](repeating: 0, count: shape[0] * shape[1])
    for line in 0..<lines {
      for place in starts[line]..<starts[line + 1] {
        values[isByRow ? line * width + indices[place] : indices[place] * lines + line] += stored[place]
      }
    }
    return (name, shape, values)
  }
}
