import Files
import Foundation
import LatentKit

/// A file of a data set that a plugin brings: what `host data fetch` gets and `host data verify` checks.
public struct DatasetFile: Sendable, Equatable {
  /// The name in the set's folder: `ring.csv`.
  public let name: String
  /// Where it is published, most trusted first: `https://example.org/ring.csv`.
  public let addresses: [String]
  /// The size in bytes as published; nil where that is not known.
  public let byteCount: Int?
  /// The checksum as published; nil where none is, so that damage is found only by reading the file.
  public let checksum: Checksum?

  /// Creates the description of a file.
  public init(_ name: String, from addresses: [String], byteCount: Int? = nil, checksum: Checksum? = nil) {
    (self.name, self.addresses, self.byteCount, self.checksum) = (name, addresses, byteCount, checksum)
  }
}

extension DataRequest {
  /// Returns the place of one of the set's files: in the data folder under the set's name, or in the data folder itself.
  ///
  /// - Throws: `DatasetError` where the file is not there, with how to get it.
  public func file(_ name: String) throws -> URL {
    guard files.contains(where: { $0.name == name }) else {
      throw DatasetError(
        "data '\(set)' read the file '\(name)', which they do not declare; this is a defect of the set")
    }
    let folder = folder ?? DatasetLibrary.namedFolder(environment)
    let places = folder.map { [$0.appendingPathComponent(set), $0] } ?? []
    let candidates = places.map { $0.appendingPathComponent(name) }
    if let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) { return found }
    let where_ = folder.map { "in \($0.path)" } ?? "here; name a data folder, or set LATENTKIT_DATA to one"
    throw DatasetError(
      "the file \(name) of data '\(set)' is not \(where_); run 'host data fetch \(set)', or put it into the data folder's "
        + "'\(set)'", isAboutFolder: true)
  }
}

extension DatasetEntry {
  /// Whether the set has files that can be fetched and verified.
  public var isPublished: Bool { published != nil || !files.isEmpty }

  /// Where the set would be read from now, in a few words; nil for sets without files.
  public func status(
    in directory: URL?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    if let published { return published.status(in: directory, environment: environment) }
    guard !files.isEmpty else { return nil }
    var request = DataRequest(from: directory, environment: environment)
    (request.set, request.files) = (name, files)
    let found = files.compactMap { try? request.file($0.name) }
    guard found.count == files.count else { return "not here; get it with 'host data fetch \(name)'" }
    return "in \(found[0].deletingLastPathComponent().path)"
  }
}

extension DatasetShelf {
  /// The set of a name, where it has files that can be fetched and verified.
  /// - Throws: `UnknownName` for any other, with those that have.
  public func fetchable(_ name: String) throws -> DatasetEntry {
    let known = entries.filter(\.isPublished)
    guard let found = known.first(where: { $0.name == name }) else {
      throw UnknownName(name, among: known.map(\.name), of: "published dataset")
    }
    return found
  }
}

extension DatasetVerifier {
  /// Reads everything of a set and checks it: of one with files of its own, their sizes and checksums, and that it loads with
  /// its default settings.
  /// - Throws: `DatasetError` where a file of the set is not there, or the set has no files.
  public static func verify(
    _ entry: DatasetEntry, in directory: URL? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Report {
    if entry.published != nil { return try verify(entry.name, in: directory, environment: environment) }
    guard !entry.files.isEmpty else { throw DatasetError("data '\(entry.name)' have no files to verify") }
    var request = DataRequest(from: directory, environment: environment)
    (request.set, request.files) = (entry.name, entry.files)
    var problems: [String] = []
    let files = try entry.files.map { file in
      let url = try request.file(file.name)
      let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
      let checksum = try Checksum(file.checksum?.algorithm ?? .sha256, of: url)
      let found = Report.File(url: url, byteCount: size, checksum: checksum, published: file.checksum)
      if let published = file.checksum, found.isAsPublished == false {
        problems.append(
          "\(url.path): found checksum \(checksum.digits), expected \(published.digits); get the file again")
      } else if let expected = file.byteCount, expected != size {
        problems.append("\(url.path): found \(grouped(size)) bytes, expected \(grouped(expected)); get the file again")
      }
      return found
    }
    var parts: [Report.Part] = []
    var origin = Dataset.Origin.files(files.map(\.url))
    do {
      let dataset = try entry.load(from: directory, environment: environment)
      origin = dataset.origin
      for (name, examples) in [("training", dataset.train), ("test", dataset.test)] {
        guard let examples else { continue }
        let histogram = try examples.labels?.oneHot(dataset.classCount ?? 0).sum(axis: 0).ints() ?? []
        parts.append(
          Report.Part(
            name: name, count: examples.count, inputShape: examples.inputShape, histogram: histogram,
            classNames: dataset.classNames ?? []))
      }
    } catch let error as FileError {
      problems.append(error.description)
    } catch let error as DatasetError {
      problems.append(error.description)
    }
    return Report(dataset: entry.name, origin: origin, files: files, parts: parts, problems: problems)
  }
}
