import Files
import Foundation
import LatentKit
import Testing

@testable import Datasets

/// A set of two files, served from a folder, with their real sizes and checksums.
private func withPluginSet(
  checksum: String? = nil, _ body: (_ entry: DatasetEntry, _ mirror: URL, _ data: URL) throws -> Void
) throws {
  try withFolder { folder in
    let mirror = folder.appendingPathComponent("mirror")
    try FileManager.default.createDirectory(at: mirror, withIntermediateDirectories: true)
    let contents = ["ring.csv": "0,1\n1,0\n0,-1\n-1,0\n", "labels.csv": "0\n1\n0\n1\n"]
    let files = try contents.sorted { $0.key > $1.key }.map { name, text in
      let (url, bytes) = (mirror.appendingPathComponent(name), Data(text.utf8))
      try bytes.write(to: url)
      return DatasetFile(
        name, from: [folder.appendingPathComponent("gone").absoluteString, url.absoluteString], byteCount: bytes.count,
        checksum: try checksum.map { .sha256($0) } ?? Checksum(.sha256, of: bytes))
    }
    let entry = DatasetEntry("ring", "four points", .rows, files: files) { request in
      func numbers(_ name: String) throws -> [[Float]] {
        try String(contentsOf: request.file(name), encoding: .utf8).split(separator: "\n").map {
          $0.split(separator: ",").compactMap { Float($0) }
        }
      }
      let (rows, labels) = (try numbers("ring.csv"), try numbers("labels.csv").map { Int64($0[0]) })
      return try Dataset(
        name: "ring", title: "Ring",
        train: Examples(inputs: Tensor(rows.flatMap { $0 }, shape: [rows.count, 2]), labels: Tensor(labels)),
        test: nil, classNames: ["even", "odd"], origin: .files([request.file("ring.csv")]))
    }
    try body(entry, mirror, folder.appendingPathComponent("data"))
  }
}

// As on the page of the guide.
let flowers = DatasetEntry(
  "flowers", "sepals and petals of two species of iris", .rows,
  files: [
    DatasetFile(
      "flowers.csv", from: ["https://example.org/flowers.csv"], byteCount: 86,
      checksum: .sha256("f2b10403c92cd2268c20941bcbcff4b0c9fef801f8920b48785e53ef8b83e8fe"))
  ]
) { request in
  try .table("flowers", title: "Flowers", from: request.file("flowers.csv"))
}

@Suite struct FilesOfAPlugin {
  @Test func aTableNeedsNoReaderOfItsOwn() throws {
    try withFolder { folder in
      let text = "sepal,petal,class\n5.1,1.4,setosa\n4.9,1.3,setosa\n7.0,4.7,versicolor\n6.4,4.5,versicolor\n"
      try Data(text.utf8).write(to: folder.appendingPathComponent("flowers.csv"))
      #expect(try DatasetVerifier.verify(flowers, in: folder, environment: [:]).isGood)
      let data = try flowers.load(from: folder, environment: [:])
      #expect(data.featureNames == ["sepal", "petal"] && data.classNames == ["setosa", "versicolor"])
      #expect(data.train.inputs.shape == [4, 2])
      #expect(try data.train.labels?.ints() == [0, 0, 1, 1])
    }
  }

  @Test func areFetchedVerifiedAndRead() throws {
    try withPluginSet { entry, mirror, data in
      let none: [String: String] = [:]
      #expect(entry.status(in: data, environment: none) == "not here; get it with 'host data fetch ring'")
      let shelf = try DatasetShelf.known.adding([entry])
      var told: [String] = []
      let files = try DatasetFetcher.fetch(shelf.fetchable("ring"), into: data) { told.append($0.file) }
      #expect(files.map(\.lastPathComponent) == ["ring.csv", "labels.csv"] && Set(told) == ["ring.csv", "labels.csv"])
      #expect(try Data(contentsOf: files[0]) == Data(contentsOf: mirror.appendingPathComponent("ring.csv")))
      #expect(entry.status(in: data, environment: none) == "in \(data.appendingPathComponent("ring").path)")
      #expect(try entry.load(from: data, environment: none).train.count == 4)
      #expect(try entry.load(environment: ["LATENTKIT_DATA": data.path]).train.count == 4)

      let report = try DatasetVerifier.verify(entry, in: data, environment: none)
      #expect(report.isGood && report.files.allSatisfy { $0.isAsPublished == true })
      #expect(report.parts.map(\.count) == [4] && report.parts[0].histogram == [2, 2])

      // What is whole stays, though its place is gone.
      try FileManager.default.removeItem(at: mirror)
      #expect(try DatasetFetcher.fetch(entry, into: data) == files)
      try Data("0,1\n".utf8).write(to: files[0])
      let damaged = try DatasetVerifier.verify(entry, in: data, environment: none)
      #expect(!damaged.isGood && damaged.problems[0].contains("ring.csv: found checksum"))
      #expect(damaged.problems.allSatisfy { !$0.contains("labels.csv: found") })
    }
  }

  @Test func ofAnotherChecksumAreRefused() throws {
    try withPluginSet(checksum: String(repeating: "0", count: 64)) { entry, _, data in
      let found = message { _ = try DatasetFetcher.fetch(entry, into: data) }
      #expect(found?.hasPrefix("could not fetch 'ring': ") == true && found?.contains("expected 0000") == true)
      #expect(!FileManager.default.fileExists(atPath: data.appendingPathComponent("ring/ring.csv").path))
    }
  }

  @Test func thatAreMissingAreNamedWithAWayToGetThem() throws {
    try withPluginSet { entry, _, data in
      for folder in [data, nil] {
        let found = message { _ = try entry.load(from: folder, environment: [:]) }
        #expect(found?.hasPrefix("the file ring.csv of data 'ring' is not ") == true)
        #expect(found?.contains("run 'host data fetch ring'") == true)
      }
      #expect(
        message { _ = try DatasetVerifier.verify(entry, in: data, environment: [:]) }?.contains("ring.csv") == true)
    }
  }

  @Test func haveToBeDeclaredUnderPlainNames() throws {
    let stray = DatasetEntry("x", "s", .rows, files: [DatasetFile("a.csv", from: [])]) { request in
      _ = try request.file("b.csv")
      throw DatasetError("read")
    }
    #expect(message { _ = try stray.load(environment: [:]) }?.contains("'b.csv', which they do not declare") == true)
    let outside = DatasetEntry("x", "s", .rows, files: [DatasetFile("../a.csv", from: [])]) { _ in
      throw DatasetError("read")
    }
    #expect(message { _ = try DatasetShelf([outside]) }?.contains("give it a plain name") == true)
    #expect(message { _ = try DatasetShelf.known.fetchable("table") }?.contains("no published dataset 'table'") == true)
  }
}
