import Foundation

@testable import fuzz

/// The files of a folder with their bytes, without the times that are measured.
struct Snapshot: Equatable {
  private(set) var files: [String: Data] = [:]

  /// - Parameter timeless: Leaves out what differs between two equal runs.
  init(_ folder: URL, timeless: Bool = true) throws {
    let prefix = folder.path + "/"
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted() {
      var isFolder: ObjCBool = false
      let path = prefix + name
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { continue }
      let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      // Reading a pipe would wait for a writer.
      guard type == .typeRegular || type == .typeSymbolicLink else {
        files[name] = Data("\(type?.rawValue ?? "")".utf8)
        continue
      }
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      files[name] = timeless ? Snapshot.timeless(data, name) : data
    }
  }

  /// The files that differ, are missing here or there.
  func differences(from other: Snapshot) -> [String] {
    Set(files.keys).union(other.files.keys).filter { files[$0] != other.files[$0] }.sorted()
  }

  private static func timeless(_ data: Data, _ name: String) -> Data {
    switch (name as NSString).pathExtension {
    case "jsonl", "json":
      let text = String(decoding: data, as: UTF8.self)
      return Data(text.replacing(/"(seconds|examplesPerSecond)" ?: ?[-0-9.e+"naif]+/, with: "").utf8)
    case "html":
      let text = String(decoding: data, as: UTF8.self)
      return Data(text.replacing(/training time<\/t[hd]>\s*<td[^>]*>[^<]*/, with: "").utf8)
    case "safetensors":
      // The header's text holds seconds, the length of a file that holds seconds, and a checksum of both.
      let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let header = String(decoding: data.dropFirst(8).prefix(length), as: UTF8.self)
      let plain = header.replacing(/\\"(seconds|metricsLength)\\":[-0-9.e+]+/, with: "")
        .replacing(/"sha256":"[0-9a-f]{64}"/, with: "").replacing(#/ +$/#, with: "")
      return Data(plain.utf8) + data.dropFirst(8 + length)
    case "latentkit": return events(data)
    default: return data
    }
  }

  /// The records of an event file without the time of day.
  private static func events(_ data: Data) -> Data {
    var rest = data[...]
    var kept = Data()
    while rest.count >= 16 {
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      // A length and its checksum, a tag and eight bytes of time, the rest, a checksum.
      kept += rest.dropFirst(12).prefix(length).dropFirst(9)
      rest = rest.dropFirst(16 + length)
    }
    return kept + rest
  }
}
