import Files
import Foundation
import LatentKit

/// The data sets of LatentKit, found by name.
///
/// A set's files are looked for in the data folder under the set's name (EMNIST also under `emnist`), then in the
/// folder itself. The data folder is the one that the caller names, else the one that `LATENTKIT_DATA` names. Where
/// there is none, the small set that ships with the package is taken, and the dataset's `note` reports it.
public enum DatasetLibrary {
  /// The name of the data that are any file of numbers: `{use: table, with: {path: x.csv}}`.
  public static let tableName = "table"

  /// Any table of numbers, by its path.
  static let table = DatasetEntry(
    tableName, "any table: delimited text, .npy, .npz or .h5ad, packed or not; data.path names the file", .rows,
    groups: [.tables, .unpacking, .place, .files], published: nil
  ) { try readTable($0) }

  /// The published data sets of LatentKit.
  public static var known: [DatasetDescription] { DatasetDescription.all }

  /// Returns the description of a published set by name.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public static func description(_ name: String) throws -> DatasetDescription {
    guard let found = try DatasetShelf.known.entry(name).published else {
      throw UnknownName(name, among: known.map(\.name), of: "published dataset")
    }
    return found
  }

  /// Loads a set.
  ///
  /// - Parameters:
  ///   - directory: A data folder (`--data-dir`). When it is given, the set must be there.
  ///   - embedded: true for the set that ships with the package, false for never that one.
  /// - Throws: `UnknownName`, `DatasetError` where files are missing, with their names and places, or do not fit each
  ///   other, and `FileError` for a damaged one.
  public static func load(
    _ name: String, from directory: URL? = nil, embedded: Bool? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Dataset {
    var settings = DataSettings()
    settings.embedded = embedded
    return try load(description(name), DataRequest(settings, from: directory, environment: environment))
  }

  /// Loads a set, or a table by its path, read by the settings.
  ///
  /// - Throws: `ConfigError` for settings that are not for data of this kind, else as the other `load`, and `FileError`
  ///   for a table with something wrong in it, by row and column.
  public static func load(
    _ name: String, settings: DataSettings, from directory: URL? = nil, at path: String = "data.with",
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Dataset {
    try DatasetShelf.known.entry(name).load(
      DataRequest(settings, from: directory, at: path, environment: environment))
  }

  /// Loads a published set from its files.
  static func load(_ description: DatasetDescription, _ request: DataRequest) throws -> Dataset {
    let (folder, environment) = (request.folder, request.environment)
    if let own = description.own {
      return try own.init().dataset(description, locate(description, in: folder, environment))
    }
    guard var format = description.table else {
      let embedded = request.settings.embedded
      switch try locate(description, in: folder, embedded: embedded, environment: environment) {
      case .files(let files): return try read(description, files) { _, _ in .files(files) }
      case .embedded(let files): return try read(description, files) { .embedded(train: $0, test: $1) }
      }
    }
    (format.missing, format.unpackLimit) = (request.settings.missing, request.settings.unpackLimit)
    let place = try locate(
      description, in: folder, embedded: request.settings.embedded, environment: environment)
    return try readTable(description, place.files[0], format)
  }

  /// Loads a set and prepares it by a recipe's settings.
  public static func load(
    _ name: String, with settings: DataSettings, seed: UInt64, from directory: URL? = nil, at path: String = "data.with"
  ) throws -> Dataset {
    try load(name, settings: settings, from: directory, at: path).prepared(settings, seed: seed, at: path)
  }

  static func namedFolder(_ environment: [String: String]) -> URL? {
    environment["LATENTKIT_DATA"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0, isDirectory: true) }
  }

  // MARK: Finding

  enum Place {
    case files([URL])
    case embedded([URL])

    var files: [URL] {
      switch self {
      case .files(let files), .embedded(let files): files
      }
    }
  }

  /// Returns the files of a set that does not ship.
  static func locate(
    _ description: DatasetDescription, in directory: URL?, _ environment: [String: String]
  ) throws -> [URL] {
    try locate(description, in: directory, embedded: nil, environment: environment).files
  }

  /// Returns the files of a set, in the description's order; of optional ones those that are there.
  static func locate(
    _ description: DatasetDescription, in directory: URL?, embedded: Bool?, environment: [String: String]
  ) throws -> Place {
    if embedded != true, let folder = directory ?? namedFolder(environment) {
      let (files, missing) = try find(description, in: folder)
      if missing.isEmpty { return .files(files) }
      // Part of a set is a mistake to point out; none of it, in a folder for all projects, is not.
      if directory != nil || !files.isEmpty || embedded == false || !description.isEmbedded {
        throw DatasetError(
          "\(folder.path) has no complete set '\(description.name)': missing \(missing.joined(separator: ", ")); "
            + advice(description, folder), isAboutFolder: true)
      }
    }
    guard description.isEmbedded, embedded != false else {
      let why = embedded == true ? "does not ship with the package" : "is not here"
      throw DatasetError(
        "dataset '\(description.name)' \(why); name a data folder, or set LATENTKIT_DATA to one, and "
          + advice(description, nil), isAboutFolder: true)
    }
    let folder = try EmbeddedData.folder(description.name)
    return .embedded(description.files.map { folder.appendingPathComponent($0.name) })
  }

  /// Returns advice about missing files.
  static func advice(_ description: DatasetDescription, _ directory: URL?) -> String {
    let folder =
      directory?.appendingPathComponent(description.folder).path ?? "the data folder's '\(description.folder)'"
    let names = description.files.map(\.name).joined(separator: ", ")
    let byHand = "put \(names) from \(description.source) into \(folder)"
    return description.mirrors.isEmpty ? byHand : "run 'host data fetch \(description.name)', or \(byHand)"
  }

  private static func find(
    _ description: DatasetDescription, in directory: URL
  ) throws -> (files: [URL], missing: [String]) {
    let found = OutputPlace(directory, followsLinks: true)
    guard found == .folder else {
      throw FileError(
        directory.path,
        (found.map { "is \($0.rawValue), expected a data folder; " } ?? "there is no such data folder; ")
          + advice(description, directory))
    }
    var best: (files: [URL], missing: [String]) = ([], description.files.map(\.name))
    for folder in Set([description.name, description.folder]).sorted().map(directory.appendingPathComponent) + [
      directory
    ] {
      var (files, missing): ([URL], [String]) = ([], [])
      var (options, absent) = (0, [String]())
      for file in description.files {
        let candidates = file.names.map(folder.appendingPathComponent)
        if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) {
          files.append(found)
          if file.isOptional { options += 1 }
        } else if file.isOptional {
          absent.append(file.name)
        } else {
          missing.append(file.name)
        }
      }
      if options > 0 { missing += absent }
      if folder == directory, isAnothers(folder, files, than: description) { continue }
      if missing.isEmpty || files.count > best.files.count { best = (files, missing) }
      if missing.isEmpty { break }
    }
    return best
  }

  /// Whether a folder belongs to another set with the same file names, as MNIST and Fashion-MNIST have.
  private static func isAnothers(_ folder: URL, _ files: [URL], than description: DatasetDescription) -> Bool {
    let others = known.filter { $0.folder != description.folder }
    if others.contains(where: { $0.folder == folder.lastPathComponent }) { return true }
    return files.contains { file in
      let size = (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize
      return others.contains { $0.files.contains { $0.name == file.lastPathComponent && $0.byteCount == size } }
    }
  }

  // MARK: Reading

  private static func read(
    _ description: DatasetDescription, _ files: [URL], _ origin: (Int, Int) -> Dataset.Origin
  ) throws -> Dataset {
    let train = try examples(description, images: files[0], labels: files[1])
    let test = try examples(description, images: files[2], labels: files[3])
    return try Dataset(
      name: description.name, title: description.title, train: train, test: test, classNames: description.classNames,
      origin: origin(train.count, test.count))
  }

  /// Reads one part of a set from its two files.
  /// - Throws: `FileError` for a damaged file, a label that is none, counts that differ, or images of another size.
  static func examples(_ description: DatasetDescription, images: URL, labels: URL) throws -> Examples {
    let labelFile = try IDX(contentsOf: labels, expecting: .labels)
    let first = description.firstLabel
    let valid = first...(first + description.classCount - 1)
    if let position = labelFile.bytes.firstIndex(where: { !valid.contains(Int($0)) }) {
      throw FileError(
        labels.path,
        "found label \(labelFile.bytes[position]) at position \(position), expected "
          + "\(valid.lowerBound) to \(valid.upperBound)"
      )
    }
    let imageFile = try IDX(contentsOf: images, expecting: .images)
    let count = imageFile.shape[0]
    guard labelFile.shape == [count] else {
      throw FileError(
        images.path,
        "found \(grouped(count)) images, and \(grouped(labelFile.shape[0])) labels in \(labels.lastPathComponent), "
          + "expected equal counts; get both files again")
    }
    let expected = description.inputShape
    guard imageFile.shape.dropFirst().elementsEqual(expected.dropFirst()) else {
      throw FileError(
        images.path,
        "found images of \(imageFile.shape[1])x\(imageFile.shape[2]), expected \(expected[1])x\(expected[2]) for "
          + "'\(description.name)'")
    }
    var inputs = try Tensor(bytes: imageFile.bytes, shape: [count] + expected, dtype: .uint8)
    if description.isTransposed { inputs = try inputs.transposed().contiguous() }
    let classes = try Tensor(bytes: labelFile.bytes, shape: [count], dtype: .uint8).to(.int64)
    return try Examples(inputs: inputs, labels: classes - Tensor.scalar(Double(first), dtype: .int64))
  }
}
