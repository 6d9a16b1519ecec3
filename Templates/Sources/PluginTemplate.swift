import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A new plugin: its name, and the slots that it gets an example part for.
public struct PluginTemplate {
  /// The slots that have an example, in the order of a recipe.
  public static let slots = [
    "data", "encoder", "prior", "decoder", "classifier", "noise", "sampler", "metric", "loss",
  ]

  /// The name.
  public let name: PluginName
  /// The chosen slots, in the order of a recipe.
  public let slots: [String]
  /// The path of its folder from the package's: `Plugins/Ring`.
  public var folder: String { "Plugins/\(name.text)" }
  /// The path of its recipe from the package's folder.
  public var recipe: String { "\(folder)/recipes/\(name.partName).yaml" }

  /// - Parameter slots: The names of slots; nil for all that have an example.
  /// - Throws: `TemplateError` for an unknown slot, for none, and for one twice.
  public init(_ name: PluginName, slots chosen: [String]? = nil) throws {
    let known = PluginTemplate.slots
    let chosen = chosen ?? known
    if let unknown = chosen.first(where: { !known.contains($0) }) {
      throw TemplateError("found the slot '\(unknown)', expected some of \(known.joined(separator: ", "))")
    }
    guard !chosen.isEmpty else {
      throw TemplateError("found no slot, expected some of \(known.joined(separator: ", "))")
    }
    if let twice = chosen.first(where: { slot in chosen.count { $0 == slot } > 1 }) {
      throw TemplateError("found the slot '\(twice)' twice; keep one")
    }
    (self.name, slots) = (name, known.filter(chosen.contains))
  }

  /// Makes `Plugins/NAME` and puts its word into the manifest's list.
  ///
  /// - Returns: The paths of the files that were written, from the package's folder.
  /// - Throws: `TemplateError` where the name is taken there or the manifest cannot be changed, and `FileError` where something
  ///   cannot be written; nothing is left behind.
  public func write(into package: PluginFolder) throws -> [String] {
    let (word, list) = (package.list.word(for: name.text), package.list)
    try refuseTaken(in: package)
    let changed = list.manifest(adding: name.text)
    guard PluginList(manifest: changed)?.names == list.names + [name.text] else {
      throw TemplateError(
        "\(package.manifest.path) has a list 'plugins' that cannot be changed; put \(word) into it first")
    }
    var template = Template()
    try add(to: &template, at: "", host: package.isLatentKit ? "host" : package.program)
    let plugins = package.url.appendingPathComponent("Plugins")
    let found = OutputPlace(plugins, followsLinks: true)
    guard found == nil || found == .folder else {
      throw FileError(plugins.path, "is \(found?.rawValue ?? "there"), expected a folder; move it away")
    }
    // With the folder, where this makes it.
    let made = found == nil ? plugins : plugins.appendingPathComponent(name.text)
    if found == nil, mkdir(plugins.path, 0o755) != 0 {
      throw FileError(plugins.path, "cannot be made: \(systemMessage())")
    }
    do { try template.write(to: plugins.appendingPathComponent(name.text)) } catch {
      if found == nil { rmdir(plugins.path) }
      throw error
    }
    do { try AtomicFile.write(changed, to: package.manifest.resolvingSymlinksInPath()) } catch {
      try? FileManager.default.removeItem(at: made)
      throw error
    }
    return template.files.map { "\(folder)/\($0.path)" }
  }

  /// Adds the files of the plugin to a template.
  ///
  /// - Parameter host: How its README calls the program.
  func add(to template: inout Template, at place: String, host: String) throws {
    let part = name.partName
    func has(_ slot: String) -> Bool { slots.contains(slot) }
    let values = [
      "Name": name.text, "name": part, "year": "\(Calendar(identifier: .gregorian).component(.year, from: Date()))",
      "decoder": has("decoder") ? part : "mlp",
      "sampler": has("sampler") ? part : has("prior") ? "prior" : "class-gaussian",
      "losses": has("loss") ? "\"mse\", PartChoice(\"\(part)\", weight: 0.001)" : "\"mse\"",
      // A list of one element has no comma behind it.
      "comma": slots.count == 1 ? "" : ",",
      "host": host, "recipe": recipe, "experiment": "\(folder)/experiments/\(part).yaml",
    ]
    for name in ["common"] + slots {
      try template.add("Plugin/\(name)", at: place, filling: values, for: Set(slots))
    }
  }

  /// Refuses a name that the list or a folder has, also in other letters: a disk may not tell them apart.
  private func refuseTaken(in package: PluginFolder) throws {
    func isSame(_ other: String) -> Bool { other.lowercased() == name.text.lowercased() }
    if let other = package.list.names.first(where: isSame) {
      throw TemplateError("\(package.manifest.path) lists a plugin '\(other)' already; choose another name")
    }
    for folder in ["Plugins", "Sources"] {
      let path = package.url.appendingPathComponent(folder).path
      if let other = (try? FileManager.default.contentsOfDirectory(atPath: path))?.first(where: isSame) {
        throw TemplateError("\(path)/\(other) is there already; choose another name, or move it away")
      }
    }
  }
}
