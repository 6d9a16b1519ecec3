import Files
import Foundation
import LatentKit

/// Checks the files of a dataset against what is known about it.
public enum DatasetVerifier {
  /// The findings of a check.
  public struct Report: Sendable, CustomStringConvertible {
    /// One file of a set as it was found.
    public struct File: Sendable, Equatable {
      /// Its place.
      public let url: URL
      /// Its size.
      public let byteCount: Int
      /// Its checksum.
      public let checksum: Checksum
      /// nil where no checksum is published for this file.
      public let published: Checksum?
      /// Whether the checksum is the published one; nil where none is published.
      public var isAsPublished: Bool? { published.map { $0 == checksum } }
    }

    /// One part of a set as it was read.
    public struct Part: Sendable, Equatable {
      /// Its name: train or test.
      public let name: String
      /// The number of its examples.
      public let count: Int
      /// The shape of an example.
      public let inputShape: [Int]
      /// The number of examples of each class.
      public let histogram: [Int]
      /// The names of the classes, where the file says so.
      public var classNames: [String] = []

      /// `[500, 500]`, or with names, `[Eryth 13, Gran 59]`.
      var perClass: String {
        guard classNames.count == histogram.count else { return "\(histogram)" }
        return "[" + zip(classNames, histogram).map { "\($0) \($1)" }.joined(separator: ", ") + "]"
      }
    }

    /// The name of the set.
    public let dataset: String
    /// The origin of the examples.
    public let origin: Dataset.Origin
    /// Its files.
    public let files: [File]
    /// Its parts.
    public internal(set) var parts: [Part]
    /// Problems, a sentence each; empty where there are none.
    public internal(set) var problems: [String]
    /// Whether no problem was found.
    public var isGood: Bool { problems.isEmpty }
    /// What is worth knowing and no problem.
    public internal(set) var remark: String?

    public var description: String {
      var lines = ["\(dataset): \(isGood ? "good" : "NOT good"), \(origin)"]
      for file in files {
        let verdict = file.isAsPublished.map { $0 ? "as expected" : "WRONG" } ?? "no published checksum"
        lines.append("  \(file.url.lastPathComponent)  \(grouped(file.byteCount)) bytes  \(file.checksum)  \(verdict)")
      }
      for part in parts {
        let shape = part.inputShape.map(String.init).joined(separator: "x")
        lines.append("  \(part.name): \(grouped(part.count)) of \(shape), per class \(part.perClass)")
      }
      if let remark { lines.append("  note: \(remark)") }
      return (lines + problems.map { "  problem: \($0)" }).joined(separator: "\n")
    }
  }

  /// Reads everything of a set and checks it. A damaged file is a problem of the report; missing files are thrown.
  /// - Throws: `UnknownName`, `DatasetError` where the set is not there.
  public static func verify(
    _ name: String, in directory: URL? = nil, embedded: Bool? = nil,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> Report {
    let description = try DatasetLibrary.description(name)
    var problems: [String] = []
    let urls: [URL]
    let published: [Checksum?]
    var isEmbedded = false
    switch try DatasetLibrary.locate(description, in: directory, embedded: embedded, environment: environment) {
    case .files(let files):
      urls = files
      published = files.map { file in description.files.first { $0.name == file.lastPathComponent }?.checksum }
    case .embedded(let files):
      urls = files
      isEmbedded = true
      let sums = try embeddedChecksums(beside: files[0])
      published = files.map { sums[$0.lastPathComponent] }
    }

    var files: [Report.File] = []
    for (url, published) in zip(urls, published) {
      let size = (try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
      let checksum = try Checksum(published?.algorithm ?? .md5, of: url)
      let file = Report.File(url: url, byteCount: size, checksum: checksum, published: published)
      if file.isAsPublished == false, let published {
        problems.append(
          "\(url.path): found checksum \(checksum.digits), expected \(published.digits); get the file again")
      }
      files.append(file)
    }

    if let own = description.own {
      return try verify(own, description, files, problems)
    }
    var parts: [Report.Part] = []
    if let format = description.table {
      do {
        let dataset = try DatasetLibrary.readTable(description, urls[0], format)
        let histogram = try dataset.train.labels?.oneHot(dataset.classCount ?? 0).sum(axis: 0).ints() ?? []
        parts.append(
          .init(
            name: "samples", count: dataset.train.count, inputShape: dataset.inputShape, histogram: histogram,
            classNames: dataset.classNames ?? []))
        if dataset.train.count != description.trainCount || dataset.inputShape != description.inputShape {
          problems.append(
            "found \(grouped(dataset.train.count)) samples x \(dataset.inputShape[0]) features, expected "
              + "\(grouped(description.trainCount)) x \(description.inputShape[0])")
        }
        if dataset.classNames != description.classNames {
          problems.append(
            "found classes \(dataset.classNames ?? []), expected \(description.classNames)")
        }
      } catch let error as FileError {
        problems.append(error.description)
      }
      return Report(dataset: name, origin: .files(urls), files: files, parts: parts, problems: problems)
    }
    let counts = [("training", description.trainCount), ("test", description.testCount)]
    for (index, (part, count)) in counts.enumerated() {
      do {
        let examples = try DatasetLibrary.examples(description, images: urls[2 * index], labels: urls[2 * index + 1])
        let histogram = try examples.labels?.oneHot(description.classCount).sum(axis: 0).ints() ?? []
        parts.append(.init(name: part, count: examples.count, inputShape: examples.inputShape, histogram: histogram))
        if !isEmbedded, examples.count != count {
          problems.append("found \(grouped(examples.count)) \(part) examples, expected \(grouped(count))")
        }
      } catch let error as FileError {
        problems.append(error.description)
      }
    }
    let sizes = parts.map(\.count) + [0, 0]
    let origin = isEmbedded ? Dataset.Origin.embedded(train: sizes[0], test: sizes[1]) : .files(urls)
    return Report(dataset: name, origin: origin, files: files, parts: parts, problems: problems)
  }

  /// A set in a format of its own, read with the settings that it has by default.
  private static func verify(
    _ own: any PublishedImages.Type, _ description: DatasetDescription, _ files: [Report.File], _ problems: [String]
  ) throws -> Report {
    let urls = files.map(\.url)
    var report = Report(
      dataset: description.name, origin: .files(urls), files: files, parts: [], problems: problems)
    do {
      let dataset = try own.init().dataset(description, urls)
      let isWhole = urls.count == description.files.count
      let parts = [
        ("training", dataset.train, description.trainCount),
        ("validation", dataset.validation, description.validationCount),
        ("test", dataset.test, description.testCount),
      ]
      for (name, examples, count) in parts {
        guard let examples else { continue }
        report.parts.append(
          .init(
            name: name, count: examples.count, inputShape: examples.inputShape,
            histogram: try examples.labelledCounts(dataset.classCount ?? 0), classNames: dataset.classNames ?? []))
        if isWhole, examples.count != count {
          report.problems.append("found \(grouped(examples.count)) \(name) images, expected \(grouped(count))")
        }
      }
      report.remark = dataset.remark
    } catch let error as FileError {
      report.problems.append(error.description)
    }
    return report
  }

  /// Reads `MD5SUMS`, lines of checksum, two spaces and name.
  private static func embeddedChecksums(beside file: URL) throws -> [String: Checksum] {
    let url = file.deletingLastPathComponent().appendingPathComponent("MD5SUMS")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else {
      throw FileError(url.path, "cannot be read; copy the program's resources again")
    }
    var sums: [String: Checksum] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2 { sums[String(words[1])] = .md5(String(words[0])) }
    }
    return sums
  }
}
