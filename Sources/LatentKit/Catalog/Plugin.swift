/// A publication.
public struct Paper: Sendable, Equatable {
  /// The title.
  public let title: String
  /// The authors, separated by commas.
  public let authors: String
  /// The year of publication.
  public let year: Int
  /// The content, in a sentence or two.
  public let summary: String

  /// Creates a reference.
  public init(title: String, authors: String, year: Int, summary: String) {
    self.title = title
    self.authors = authors
    self.year = year
    self.summary = summary
  }
}

/// The parts of one paper. A target `Plugins/X` declares `public enum XPlugin: Plugin`.
public protocol Plugin: SendableMetatype {
  /// The paper that the plugin implements, that of all its parts which name no other; nil for parts in common use.
  static var paper: Paper? { get }
  /// The parts that it contributes.
  static var contributions: [Contribution] { get }
}

extension Plugin {
  /// The plugin's name in lists: `CSAE` for `CSAEPlugin`.
  public static var name: String { "\(Self.self)".replacing(/Plugin$/, with: "") }
}

/// A part that a plugin contributes: data, nothing runs on import.
///
///     .prior("pedcc", PEDCC.self, "evenly distributed centroids", with: Companions([.noise: "scaled-gaussian"]))
///     Contribution(.prior, Entry("uniform", "the unit cube") { settings, context in Uniform(context.latentSize) })
public struct Contribution: Sendable {
  /// The slot that the part fills.
  public let slot: Slot
  let name: String
  let defect: String?
  /// The entry as one of the plugin, for the slot's table.
  let entry: @Sendable (_ plugin: String) -> any Sendable
  let description: @Sendable (_ plugin: String) -> PartDescription

  /// Creates a contribution from an entry.
  public init<Role>(_ key: SlotKey<Role>, _ entry: Entry<Role>) {
    slot = key.slot
    (name, defect) = (entry.name, entry.defect ?? entry.companions.defect)
    self.entry = { plugin in
      var entry = entry
      entry.plugin = plugin
      return entry
    }
    description = { PartDescription(key.slot, entry, plugin: $0) }
  }
}
