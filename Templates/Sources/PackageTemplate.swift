import Files
import Foundation

/// A new package that depends on LatentKit by version: a plugin, and a program that has it beside LatentKit's own.
public struct PackageTemplate {
  /// The plugin, whose name the package has.
  public let plugin: PluginTemplate
  /// The address of LatentKit's repository.
  public let url: String
  /// The least version, as in `from: "0.1.0"`.
  public let version: String
  /// The path of the program from the package's folder.
  public var program: String { ".build/release/\(plugin.name.partName)-host" }

  /// - Parameters:
  ///   - url: The address of LatentKit's repository: one with a scheme, as in `https://`, or `user@place:path`.
  ///   - version: The least version, as in `0.1.0`.
  /// - Throws: `TemplateError` for an address or a version that is none.
  public init(_ plugin: PluginTemplate, url: String, version: String) throws {
    guard url.wholeMatch(of: /([a-z+]+:\/\/|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:)[^\s"\\#$]*[A-Za-z0-9_.-]+\/?/) != nil
    else {
      throw TemplateError(
        "found the address '\(url)', expected that of LatentKit's repository, as in https://example.org/LatentKit.git")
    }
    guard version.wholeMatch(of: /\d+\.\d+\.\d+/) != nil else {
      throw TemplateError("found the version '\(version)', expected three numbers, as in 0.1.0")
    }
    (self.plugin, self.url, self.version) = (plugin, url, version)
  }

  /// The last word of the address, by which SwiftPM knows the package.
  var repository: String {
    let path = url.hasSuffix("/") ? String(url.dropLast()) : url
    let last = path.split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? ""
    return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
  }

  /// How its README names LatentKit: with a link, where a reader of the package can follow one.
  var link: String { url.hasPrefix("http") ? "[LatentKit](\(url))" : "LatentKit" }

  /// Makes the folder NAME inside another one.
  ///
  /// - Returns: The paths of the files that were written, from the new folder.
  /// - Throws: `TemplateError` where the name is taken or the place is inside another package, and `FileError`.
  public func write(into place: URL) throws -> [String] {
    guard OutputPlace(place, followsLinks: true) == .folder else {
      throw TemplateError("\(place.path) is not a folder; make it, or name another one with --folder")
    }
    if let package = PluginFolder.around(place) {
      throw TemplateError(
        "\(place.path) is inside the package \(package.url.path); name a folder outside of it with --folder, or begin a "
          + "plugin with 'host new plugin'")
    }
    var template = Template()
    let values = [
      "Name": plugin.name.text, "name": plugin.name.partName, "url": url, "link": link, "version": version,
      "repository": repository, "recipe": plugin.recipe, "host": program,
    ]
    try template.add("Package", filling: values, for: Set(plugin.slots))
    try plugin.add(to: &template, at: "\(plugin.folder)/", host: program)
    try template.write(to: place.appendingPathComponent(plugin.name.text))
    return template.files.map(\.path)
  }
}
