import Files
import Foundation

/// A folder with a manifest that lists plugins and with their folders under `Plugins/`: a checkout of LatentKit, or a package
/// made by `host new package`.
public struct PluginFolder {
  /// The folder.
  public let url: URL
  /// The list in its manifest.
  public let list: PluginList
  /// The manifest: `Package.swift`.
  public var manifest: URL { url.appendingPathComponent("Package.swift") }
  /// Whether it is LatentKit itself.
  public var isLatentKit: Bool {
    FileManager.default.fileExists(atPath: url.appendingPathComponent("Sources/LatentKit").path)
  }

  /// The path of a package's program from its folder.
  public var program: String {
    let name = (try? String(contentsOf: manifest, encoding: .utf8))?.firstMatch(of: /name: "([A-Za-z0-9-]+-host)"/)?.1
    return ".build/release/\(name.map(String.init) ?? "host")"
  }

  /// Opens a folder; nil where it has no manifest with a list of plugins.
  public init?(at url: URL) {
    let manifest = url.appendingPathComponent("Package.swift")
    guard OutputPlace(manifest, followsLinks: true) == .file,
      let text = try? String(contentsOf: manifest, encoding: .utf8), let list = PluginList(manifest: text)
    else { return nil }
    (self.url, self.list) = (url, list)
  }

  /// Returns the first such folder among a folder and those above it; nil where there is none.
  public static func around(_ place: URL) -> PluginFolder? {
    var place = place.standardizedFileURL
    while true {
      if let folder = PluginFolder(at: place) { return folder }
      let above = place.deletingLastPathComponent().standardizedFileURL
      if above.path == place.path { return nil }
      place = above
    }
  }

  /// The names of the folders under `Plugins/` that have `Sources/`, sorted.
  public var folders: [String] {
    let plugins = url.appendingPathComponent("Plugins")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: plugins.path)) ?? []
    return names.filter { name in
      !name.hasPrefix(".")
        && OutputPlace(plugins.appendingPathComponent("\(name)/Sources"), followsLinks: true) == .folder
    }.sorted()
  }

  /// What is wrong with the list, a sentence each: plugins that are in the folder alone, or in the list alone.
  public var findings: [String] {
    let (listed, present) = (Set(list.names), folders)
    let unlisted = present.filter { !listed.contains($0) }.map {
      "Plugins/\($0) is not built, as \(manifest.path) does not list it; add \(list.word(for: $0)) to its list 'plugins'"
    }
    let missing = list.names.filter { !present.contains($0) }.map {
      "\(manifest.path) lists '\($0)', and there is no Plugins/\($0)/Sources; make it by 'host new plugin', or take the word out"
    }
    return unlisted + missing
  }
}
