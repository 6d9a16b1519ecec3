import Files
import Foundation

/// `obs` or `var` of an AnnData file: columns about the samples or the features, and their names.
struct AnnDataFrame {
  let file: HDF5File
  /// `obs` or `var`.
  let name: String
  /// The names of the rows.
  let index: [String]
  /// The names of the columns, in their order.
  let columns: [String]

  /// - Throws: `FileError` for a frame that is not there, of a version before 0.7, without names, or damaged.
  init(_ file: HDF5File, _ name: String) throws {
    (self.file, self.name) = (file, name)
    guard file.kind(name) == .group else {
      throw FileError(
        file.path,
        "has '\(name)' in the form of anndata before 0.7; read it with a newer anndata and save it by adata.write_h5ad")
    }
    let indexName = try file.texts(name, "_index")?.first ?? "_index"
    guard file.kind("\(name)/\(indexName)") != .absent else {
      throw FileError(
        file.place(name), "has no names of rows, expected '\(indexName)'; save it again by adata.write_h5ad")
    }
    index = try AnnDataFrame.values(of: indexName, in: name, file).map { $0 ?? "" }
    columns =
      try file.texts(name, "column-order")
      ?? file.names(in: name).filter { $0 != indexName && $0 != "__categories" }
  }

  /// Returns the texts of a column, one for each row; nil where it has no value.
  /// - Throws: `FileError` for a column of another kind than text, categories, numbers and truth values, and for a damaged one.
  func values(of column: String) throws -> [String?] {
    let values = try AnnDataFrame.values(of: column, in: name, file)
    guard values.count == index.count else {
      throw FileError(
        file.place("\(name)/\(column)"),
        "has \(grouped(values.count)) values for \(grouped(index.count)) rows; save it again by adata.write_h5ad")
    }
    return values
  }

  private static func values(of column: String, in frame: String, _ file: HDF5File) throws -> [String?] {
    let place = "\(frame)/\(column)"
    switch file.kind(place) {
    case .absent:
      throw FileError(
        file.path, "has no '\(place)', although it names that column; save it again by adata.write_h5ad")
    case .array:
      // Before anndata 0.8 categories were kept apart.
      let categories = "\(frame)/__categories/\(column)"
      if file.kind(categories) == .array { return try categorical(place, categories, file) }
      return try plain(place, file)
    case .group:
      if file.kind("\(place)/codes") == .array { return try categorical("\(place)/codes", "\(place)/categories", file) }
      if file.kind("\(place)/mask") == .array, file.kind("\(place)/values") == .array {
        // True where a value is missing.
        let (values, mask) = (try plain("\(place)/values", file), try file.integers("\(place)/mask"))
        guard mask.count == values.count else {
          throw FileError(file.place(place), "has \(grouped(values.count)) values and a mask of \(grouped(mask.count))")
        }
        return zip(values, mask).map { $1 == 0 ? $0 : nil }
      }
      let kind = try file.texts(place, "encoding-type")?.first ?? "a group"
      throw FileError(
        file.place(place), "is of the kind '\(kind)', expected text, categories, numbers or truth values")
    }
  }

  private static func plain(_ place: String, _ file: HDF5File) throws -> [String?] {
    guard let facts = try file.facts(place), facts.shape.count == 1 else {
      throw FileError(file.place(place), "is no list, expected one value for each row")
    }
    switch facts.kind {
    case "s": return try file.texts(place)
    case "e": return try file.integers(place).map { $0 == 0 ? "False" : "True" }
    case "i", "u": return try file.integers(place).map(String.init)
    case "f": return try file.doubles(place).map { $0.isNaN ? nil : NumpyClassName($0).text }
    default:
      throw FileError(file.place(place), "holds \(facts.noun), expected text, categories, numbers or truth values")
    }
  }

  private static func categorical(_ codes: String, _ categories: String, _ file: HDF5File) throws -> [String?] {
    guard file.kind(categories) != .absent else {
      throw FileError(file.place(codes), "has no '\(categories)' beside it; save it again by adata.write_h5ad")
    }
    let slash = categories.lastIndex(of: "/") ?? categories.startIndex
    let names = try values(
      of: String(categories[categories.index(after: slash)...]), in: String(categories[..<slash]), file)
    return try file.integers(codes).map { code in
      guard code < names.count else {
        throw FileError(
          file.place(codes), "is corrupted: found category \(code), expected below \(names.count); get the file again")
      }
      return code < 0 ? nil : names[code]
    }
  }
}
