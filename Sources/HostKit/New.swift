import ArgumentParser
import Files
import Foundation
import LatentKit
import Templates

struct New: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Begin a plugin, or a package of your own, with parts that train and pass their tests.",
    subcommands: [NewPlugin.self, NewPackage.self])
}

/// The slots that a new plugin gets examples for.
struct SlotOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Slots to get an example part for: \(PluginTemplate.slots.joined(separator: ", ")). All unless said.",
      valueName: "list"),
    completion: .list(PluginTemplate.slots)) var slots: String?

  /// The template of a plugin.
  /// - Throws: `TemplateError` for a name or a slot that cannot be, or a part that the program has.
  func template(_ name: String, in host: Host) throws -> PluginTemplate {
    let chosen = slots?.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    let template = try PluginTemplate(PluginName(name), slots: chosen)
    let part = template.name.partName
    for slot in Slot.all where template.slots.contains(slot.name) {
      if let other = host.catalog.descriptions(of: slot).first(where: { $0.name == part }) {
        throw TemplateError("plugin \(other.plugin) has \(slot.noun) '\(part)' already; choose another name")
      }
    }
    return template
  }
}

struct NewPlugin: HostSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "plugin",
    abstract: "Make Plugins/NAME: example parts, their tests, a recipe, an experiment and a README.",
    discussion: """
        host new plugin RingLatents
        host new plugin RingLatents --slots loss,prior

      The plugin's word is put into the list of Package.swift, so that the next build has \
      it. In recipes its parts are called ring-latents. They train and pass their tests \
      as they are: put your method in their place.
      """)

  @Argument(help: "The name of the plugin, as a Swift module: RingLatents.") var name: String
  @OptionGroup var slots: SlotOptions
  @Option(
    help: ArgumentHelp("The checkout or the package that gets it; the one around this folder unless said."),
    completion: .directory) var folder: String?

  func run(in host: Host) throws {
    let template = try slots.template(name, in: host)
    let place = URL(fileURLWithPath: folder ?? FileManager.default.currentDirectoryPath)
    guard let package = folder == nil ? PluginFolder.around(place) : PluginFolder(at: place) else {
      throw TemplateError(
        "\(place.path) is no checkout of LatentKit and no package of 'host new package': there is no Package.swift with a "
          + "list 'plugins'; go to one, or name it with --folder")
    }
    let files = try template.write(into: package)
    let (text, part) = (template.name.text, template.name.partName)
    host.console.say("plugin  \(package.url.appendingPathComponent(template.folder).path): \(files.count) files")
    host.console.say("list    \(package.manifest.path) has \(package.list.word(for: text))")
    host.console.say("parts   \(template.slots.map { "\($0) '\(part)'" }.joined(separator: ", "))")
    host.console.say("next    cd \(package.url.path)")
    host.console.say("        make test ONLY=\(text)Tests")
    let program = package.isLatentKit ? "make build && .build/release/host" : "make && \(package.program)"
    host.console.say("        \(program) compose \(template.recipe)")
    host.console.say("        then put your method in place of the examples; \(template.folder)/README.md says where")
  }
}

struct NewPackage: HostSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "package",
    abstract: "Make a package of your own with a plugin and a program that has LatentKit's plugins too.",
    discussion: """
        host new package RingModels --folder .. --url https://example.org/LatentKit.git

      The package depends on a version of LatentKit, a tag of that repository, and \
      builds a program ring-models-host by 'make'. 'host new plugin' adds more plugins \
      to it.
      """)

  @Argument(help: "The name of the package and of its plugin, as a Swift module: RingModels.") var name: String
  @OptionGroup var slots: SlotOptions
  @Option(
    help: ArgumentHelp("Where the package's folder is made.", valueName: "folder"), completion: .directory)
  var folder = "."
  @Option(help: ArgumentHelp("The address of LatentKit's repository; that of this checkout unless said.")) var url:
    String?
  @Option(help: ArgumentHelp("The least version of LatentKit; this program's unless said.", valueName: "version"))
  var from = LatentKitVersion.current

  func run(in host: Host) throws {
    let plugin = try slots.template(name, in: host)
    let repository = try url.map { Repository(address: $0) } ?? Repository.ofCheckout()
    let template = try PackageTemplate(plugin, url: repository.address, version: from)
    let place = URL(fileURLWithPath: folder)
    let files = try template.write(into: place)
    let made = place.appendingPathComponent(plugin.name.text)
    host.console.say("package \(made.path): \(files.count) files")
    host.console.say("needs   LatentKit \(from) or a later \(from.prefix { $0 != "." }).x from \(template.url)")
    host.console.say("parts   \(plugin.slots.map { "\($0) '\(plugin.name.partName)'" }.joined(separator: ", "))")
    host.console.say("next    cd \(made.path)")
    host.console.say("        make")
    host.console.say("        \(template.program) compose \(plugin.recipe)")
    host.console.say("        make test")
    if let folder = repository.folder, !repository.hasTag(for: from) {
      host.console.warn(
        "\(folder) has no tag \(from), by which SwiftPM finds a version, so that the package cannot be built yet; run "
          + "'git -C \(folder) tag \(from)', or name a version that is there with --from")
    }
  }
}

/// The repository of LatentKit that a new package depends on.
private struct Repository {
  /// Its address.
  let address: String
  /// The folder of one on this machine, whose tags can be read; nil for one elsewhere.
  let folder: String?

  init(address: String) {
    self.address = address
    folder = address.hasPrefix("file://") ? String(address.dropFirst("file://".count)) : nil
  }

  private init(address: String, checkout: String) { (self.address, folder) = (address, checkout) }

  /// That of the checkout in which the command runs, or in which the program was built: its origin, or its folder.
  static func ofCheckout() throws -> Repository {
    let places = [URL(fileURLWithPath: FileManager.default.currentDirectoryPath), Bundle.main.executableURL]
    let checkouts = places.compactMap { $0.flatMap { PluginFolder.around($0.resolvingSymlinksInPath()) } }
    guard let checkout = checkouts.first(where: \.isLatentKit)?.url.path else {
      throw TemplateError("where LatentKit is to come from is not known here; say it with --url, as in --url https://…")
    }
    let origin = git(in: checkout, "config", "remote.origin.url").first ?? ""
    // Without a scheme it is another folder, whose tags are those that a package sees.
    return origin.contains(":")
      ? Repository(address: origin, checkout: checkout)
      : Repository(address: "file://\(origin.hasPrefix("/") ? origin : checkout)")
  }

  /// Whether a tag is a version of at least this one with the same first number.
  func hasTag(for version: String) -> Bool {
    func numbers(_ text: String) -> [Int] { text.split(separator: ".").compactMap { Int($0) } }
    let least = numbers(version)
    return Self.git(in: folder ?? ".", "tag").contains { tag in
      guard let version = tag.wholeMatch(of: /v?(\d+\.\d+\.\d+)/) else { return false }
      let found = numbers(String(version.1))
      return found.first == least.first && !found.lexicographicallyPrecedes(least)
    }
  }

  /// The lines that git prints; none where it fails.
  private static func git(in folder: String, _ arguments: String...) -> [String] {
    guard let result = try? Command("git", ["-C", folder] + arguments).run(), result.status == 0 else { return [] }
    return String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }
}
