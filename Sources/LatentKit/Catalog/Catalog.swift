/// All parts of a program, by slot and name.
public struct Catalog: Sendable {
  private struct Item: Sendable {
    let entry: any Sendable
    let description: PartDescription
  }
  private var items: [Slot: [Item]] = [:]

  /// Creates a catalog.
  ///
  /// - Parameters:
  ///   - plugins: The plugins whose parts it holds.
  ///   - additions: Parts without a plugin: made at run time, or for a test.
  /// - Throws: `CatalogError` where two plugins contribute parts of the same name, and for a defect in how a part is declared.
  public init(_ plugins: [any Plugin.Type], adding additions: [Contribution] = []) throws {
    for plugin in plugins { try add(plugin.contributions, from: plugin.name) }
    try add(additions, from: "this program")
  }

  /// Returns the catalog with the parts of a library in another language.
  ///
  /// - Parameters:
  ///   - source: Named as a plugin is, in lists and messages.
  ///   - origin: What recipes keep about each of the parts.
  /// - Throws: `CatalogError` as the init.
  public func adding(_ parts: [Contribution], from source: String, origin: ForeignOrigin) throws -> Catalog {
    var catalog = self
    try catalog.add(parts, from: source, origin: origin)
    return catalog
  }

  private mutating func add(
    _ contributions: [Contribution], from plugin: String, origin: ForeignOrigin? = nil
  ) throws {
    for contribution in contributions {
      let title = "\(contribution.slot.name) '\(contribution.name)'"
      if let other = items[contribution.slot]?.first(where: { $0.description.name == contribution.name }) {
        throw CatalogError(
          "plugins \(other.description.plugin) and \(plugin) both contribute \(title); rename one of them")
      }
      if let defect = contribution.defect { throw CatalogError("plugin \(plugin), \(title): \(defect)") }
      guard contribution.name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9+_.-]*/) != nil, contribution.name != "none" else {
        throw CatalogError(
          "plugin \(plugin), \(title): expected a name of letters, digits, '-', '+', '_' and '.', other than 'none'")
      }
      var description = contribution.description(plugin)
      description.foreign = origin
      items[contribution.slot, default: []].append(Item(entry: contribution.entry(plugin), description: description))
    }
  }

  /// The parts of a slot.
  public subscript<Role>(_ key: SlotKey<Role>) -> Table<Role> {
    Table(key.slot, (items[key.slot] ?? []).compactMap { $0.entry as? Entry<Role> })
  }

  /// Returns the descriptions of a slot's parts, for lists and checks.
  public func descriptions(of slot: Slot) -> [PartDescription] { (items[slot] ?? []).map(\.description) }

  /// Returns the description of one part.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public func description(of slot: Slot, _ name: String) throws -> PartDescription {
    let all = descriptions(of: slot)
    guard let found = all.first(where: { $0.name == name }) else {
      throw UnknownName(name, among: all.map(\.name), of: slot.name)
    }
    return found
  }
}

/// One slot of a catalog.
public struct Table<Role>: Sendable {
  /// The slot.
  public let slot: Slot
  /// The entries in the order of the plugins.
  public let entries: [Entry<Role>]

  init(_ slot: Slot, _ entries: [Entry<Role>]) { (self.slot, self.entries) = (slot, entries) }

  /// The entry of a name.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public subscript(_ name: String) -> Entry<Role> {
    get throws {
      guard let entry = entries.first(where: { $0.name == name }) else {
        throw UnknownName(name, among: entries.map(\.name), of: slot.name)
      }
      return entry
    }
  }
}

/// A description of a part in a catalog.
public struct PartDescription: Sendable {
  /// The slot.
  public let slot: Slot
  /// The name in recipes.
  public let name: String
  /// The purpose of the part, in one line.
  public let summary: String
  /// The name of the plugin that contributes it.
  public let plugin: String
  /// The paper, where that is not the plugin's own paper.
  public let paper: Paper?
  /// The parts and settings that go with it by default.
  public let companions: Companions
  /// The settings in order of declaration.
  public let settings: [SettingDescription]
  /// Whether it is a sampler that draws from an estimate of the training latents: an `EstimatingSampler`.
  public let isEstimatingSampler: Bool
  /// The library that it comes from; nil for a part of this program.
  public internal(set) var foreign: ForeignOrigin?
  private let resolve: @Sendable ([String: Value], String) throws -> [String: Value]

  init<Role>(_ slot: Slot, _ entry: Entry<Role>, plugin: String) {
    (self.slot, self.plugin) = (slot, plugin)
    (name, summary, paper) = (entry.name, entry.summary, entry.paper)
    (companions, settings) = (entry.companions, entry.settings)
    isEstimatingSampler = entry.type is any EstimatingSampler.Type
    resolve = { try entry.resolved($0, at: $1) }
  }

  /// Returns every setting's value, with some replaced.
  /// - Throws: `ConfigError` for a setting that is unknown, of the wrong kind or out of range.
  public func resolved(_ settings: [String: Value], at path: String) throws -> [String: Value] {
    try resolve(settings, path)
  }
}

/// A defect in how plugins declare parts, found before anything runs.
public struct CatalogError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
  /// Creates an error from one sentence.
  public init(_ description: String) { self.description = description }
}
