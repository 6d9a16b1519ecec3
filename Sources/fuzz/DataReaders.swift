import Datasets
import Foundation
import LatentKit

/// Readers of the catalog's data sets that take any file or folder by `data.path`, found by trying: each is one of a set
/// and a kind of file that the set reads, by itself or in a folder for each class. What is tried are the files in folders
/// called `Fixtures`, and arrays made here. Data `table` has readers of its own, with its settings.
let dataReaders: [Reader] = {
  let sets = ((try? catalog.datasets.entries) ?? []).filter { set in
    set.name != DatasetLibrary.tableName && set.settings.contains { $0.name == "path" }
  }
  return sets.flatMap { set in
    Dictionary(grouping: samples, by: \.kind).sorted { $0.key < $1.key }.flatMap { kind, samples in
      [false, true].compactMap { inFolders in reader(of: set, kind, samples.map(\.original), inFolders: inFolders) }
    }
  }
}()

private struct Sample {
  let kind: String
  let original: Original
}

/// A few small files of each kind.
private let samples: [Sample] = {
  let sources: Set = ["swift", "py", "json", "yaml", "md", "sh", "raw"]
  let files = files(in: ["Tests", "Plugins"]).filter { file in
    file.url.pathComponents.contains("Fixtures") && !file.url.pathExtension.isEmpty
      && !sources.contains(file.url.pathExtension.lowercased())
  }
  let pictures = npy("|u1", "(2, 3, 3)", Array(1...18))
  let labels = npy("<i8", "(2,)", [0, 1].flatMap { littleEndian($0, bytes: 8) })
  let archive = Original(pictures.pieces + labels.pieces) { pieces in
    zip(
      [("x.npy", npy(header: pieces[0], pieces[1])), ("y.npy", npy(header: pieces[2], pieces[3]))], packed: true)
  }
  return files.map { Sample(kind: $0.url.pathExtension.lowercased(), original: Original($0.bytes)) }
    + [Sample(kind: "npz", original: archive), Sample(kind: "npy", original: pictures)]
}()

/// A reader of those that a set takes as they are; nil where it takes none.
private func reader(of set: DatasetEntry, _ kind: String, _ originals: [Original], inFolders: Bool) -> Reader? {
  @Sendable func load(_ url: URL) throws -> Dataset {
    guard inFolders else { return try set.load(["path": .string(url.path)], environment: [:]) }
    let folder = url.deletingLastPathComponent().appendingPathComponent("\(set.name)-\(kind)")
    for name in ["a", "b"] {
      let place = folder.appendingPathComponent("\(name)/\(url.lastPathComponent)")
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(contentsOf: url).write(to: place)
    }
    return try set.load(["path": .string(folder.path)], environment: [:])
  }
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
    "fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(set.name)-\(kind)")
  defer { try? FileManager.default.removeItem(at: scratch) }
  let file = scratch.appendingPathComponent("t.\(kind)")
  let taken = originals.filter { original in
    do {
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      try Data(original.assemble(original.pieces)).write(to: file)
      _ = try load(file)
      return true
    } catch { return false }
  }
  guard !taken.isEmpty else { return nil }
  return Reader("\(set.name)-\(kind)\(inFolders ? "-folder" : "")", file: "t.\(kind)") {
    taken
  } read: { url, _ in
    let found = try load(url)
    try require(
      found.train.count > 0 && !found.inputShape.contains(0), "took data of shape \(found.train.inputs.shape)")
    let hasInfinity = try found.train.inputs.floats().contains { $0.isInfinite }
    try require(!hasInfinity, "took an infinite number")
    guard let labels = try found.train.labels?.ints() else { return }
    try require(labels.allSatisfy { (0..<(found.classCount ?? 0)).contains($0) }, "made labels of no class")
  }
}
