import Foundation
import LatentKit

/// A request for the examples of a data set. A new field breaks no set.
public struct DataRequest: Sendable {
  /// The settings that all data share.
  public var settings: DataSettings
  /// The data folder that the caller names (`--data-dir`); a set with files must have them there.
  public var folder: URL?
  /// The settings' place in the recipe, for messages.
  public var path: String
  /// `LATENTKIT_DATA` names a data folder where the caller names none.
  public var environment: [String: String]
  /// The run's seed, for sets that are made.
  public var seed: UInt64
  /// The name of the set.
  var set = ""
  /// The files that the set declares.
  var files: [DatasetFile] = []

  /// The data folder that the caller names, else that of the environment.
  var dataFolder: URL? { folder ?? DatasetLibrary.namedFolder(environment) }

  /// Creates a request.
  public init(
    _ settings: DataSettings = DataSettings(), from folder: URL? = nil, at path: String = "data.with",
    environment: [String: String] = ProcessInfo.processInfo.environment, seed: UInt64 = 0
  ) {
    (self.settings, self.folder, self.path, self.environment) = (settings, folder, path, environment)
    self.seed = seed
  }
}

/// A data set that a recipe can name: its name, description, settings and loader.
///
///     DatasetEntry("two-moons", "two half circles, made on the spot", .rows, own: TwoMoons.self) { moons, request in
///       try Dataset(name: "two-moons", title: "Two moons", train: moons.examples(), test: nil, classCount: 2,
///         origin: .made("\(moons.count) points"))
///     }
public struct DatasetEntry: Sendable {
  /// The kind of a set's inputs, which decides what settings it takes beside its own.
  public enum Kind: Sendable {
    /// Bytes `[channels, height, width]`, which are scaled, padded and augmented.
    case images
    /// Rows of numbers `[features]`.
    case rows

    var groups: Set<DataSettingGroup> { self == .images ? [.parts, .images] : [.parts] }
  }

  /// The name that recipes use.
  public let name: String
  /// Its content and origin, in one line.
  public let summary: String
  /// The kind of its inputs.
  public let kind: Kind
  /// Every setting that means something to it: its own, then those that it shares with other data.
  public let settings: [SettingDescription]
  /// The files that are published of it; nil for data that are made, or are any file.
  public let published: DatasetDescription?
  /// The files of a set that a plugin brings; its closure finds them by `request.file(_:)`.
  public private(set) var files: [DatasetFile] = []
  private let groups: Set<DataSettingGroup>
  private let ownNames: Set<String>
  private let read: @Sendable ([String: Value], DataRequest) throws -> Dataset
  private let check: @Sendable ([String: Value], String) throws -> [String: Value]

  /// A set without settings of its own.
  ///
  /// - Parameters:
  ///   - files: The files to fetch and verify; none for data that are made.
  ///   - load: Makes the examples: all of them, as parts are cut afterwards.
  public init(
    _ name: String, _ summary: String, _ kind: Kind, files: [DatasetFile] = [],
    load: @escaping @Sendable (DataRequest) throws -> Dataset
  ) {
    self.init(name, summary, kind, groups: [], published: nil, load: load)
    self.files = files
  }

  /// - Parameters:
  ///   - own: Settings of this set alone, under other names than the shared ones.
  ///   - files: The files to fetch and verify; none for data that are made.
  ///   - load: Makes the examples: all of them, as parts are cut afterwards. It is given its own settings, and what all
  ///     data are asked for.
  public init<Own: ComponentConfig>(
    _ name: String, _ summary: String, _ kind: Kind, own: Own.Type, files: [DatasetFile] = [],
    load: @escaping @Sendable (Own, DataRequest) throws -> Dataset
  ) {
    self.init(name, summary, kind, own: own, groups: [], published: nil, load: load)
    self.files = files
  }

  /// - Parameters:
  ///   - own: Settings of this set alone, known at run time only, under other names than the shared ones.
  ///   - load: Makes the examples: all of them, as parts are cut afterwards. It is given its own settings, and what all
  ///     data are asked for.
  public init(
    _ name: String, _ summary: String, _ kind: Kind, own: [SettingDescription],
    load: @escaping @Sendable (SettingValues, DataRequest) throws -> Dataset
  ) {
    self.init(
      name, summary, kind, settings: own, groups: [], published: nil,
      read: { try load(SettingValues($0, of: own, at: $1.path), $1) },
      check: { try SettingValues($0, of: own, at: $1).values })
  }

  init(
    _ name: String, _ summary: String, _ kind: Kind, groups: Set<DataSettingGroup>, published: DatasetDescription?,
    load: @escaping @Sendable (DataRequest) throws -> Dataset
  ) {
    self.init(name, summary, kind, own: NoConfig.self, groups: groups, published: published) { try load($1) }
  }

  init<Own: ComponentConfig>(
    _ name: String, _ summary: String, _ kind: Kind, own: Own.Type, groups: Set<DataSettingGroup>,
    published: DatasetDescription?, load: @escaping @Sendable (Own, DataRequest) throws -> Dataset
  ) {
    self.init(
      name, summary, kind, settings: Own.settings, groups: groups, published: published,
      read: { own, request in try load(Own(own, at: request.path), request) },
      check: { own, path in try Own(own, at: path).values })
  }

  private init(
    _ name: String, _ summary: String, _ kind: Kind, settings own: [SettingDescription],
    groups: Set<DataSettingGroup>, published: DatasetDescription?,
    read: @escaping @Sendable ([String: Value], DataRequest) throws -> Dataset,
    check: @escaping @Sendable ([String: Value], String) throws -> [String: Value]
  ) {
    (self.name, self.summary, self.kind, self.published) = (name, summary, kind, published)
    (self.read, self.check) = (read, check)
    self.groups = kind.groups.union(groups)
    let taken = self.groups
    let shared = DataSettings.settings.filter { DataSettingGroup.group(of: $0.name).map(taken.contains) ?? false }
    settings = own + shared
    ownNames = Set(own.map(\.name))
  }

  /// The names of settings that are declared as the set's own and as shared ones.
  var ambiguousNames: [String] { ownNames.filter { DataSettingGroup.group(of: $0) != nil }.sorted() }

  /// Returns the shared settings among those under `data.with`.
  /// - Throws: `ConfigError` for an unknown setting, one that means nothing to this set, or one out of its range.
  public func sharedSettings(_ values: [String: Value], at path: String = "data.with") throws -> DataSettings {
    for name in values.keys.sorted() where !settings.contains(where: { $0.name == name }) {
      if let group = DataSettingGroup.group(of: name) {
        throw DataSettings.refusal(of: name, in: group, for: groups, of: self.name, at: path)
      }
      let unknown = UnknownName(name, among: settings.map(\.name), of: "setting")
      throw ConfigError(path: "\(path).\(name)", unknown.description)
    }
    let shared = try DataSettings(values.filter { !ownNames.contains($0.key) }, at: path)
    try shared.validate(at: path)
    return shared
  }

  /// Returns every setting's value with some replaced, as a run records them.
  /// - Throws: `ConfigError` as `sharedSettings`.
  public func resolved(_ values: [String: Value], at path: String = "data.with") throws -> [String: Value] {
    let shared = try sharedSettings(values, at: path).values.filter { name, value in
      settings.contains { $0.name == name } && !(value == .null && DataSettings.onlyWhereSet.contains(name))
    }
    return try shared.merging(check(values.filter { ownNames.contains($0.key) }, path)) { $1 }
  }

  /// Loads the examples as a recipe's `data.with` says; its parts are not cut yet.
  /// - Throws: `ConfigError` as `sharedSettings`, and what the set itself throws.
  public func load(
    _ values: [String: Value] = [:], from folder: URL? = nil, at path: String = "data.with",
    environment: [String: String] = ProcessInfo.processInfo.environment, seed: UInt64 = 0
  ) throws -> Dataset {
    let shared = try sharedSettings(values, at: path)
    var request = DataRequest(shared, from: folder, at: path, environment: environment, seed: seed)
    (request.set, request.files) = (name, files)
    let dataset = try read(values.filter { ownNames.contains($0.key) }, request)
    guard let split = shared.splitFile else { return dataset }
    return try dataset.split(by: request.place(of: split))
  }

  /// Loads the examples with the settings that all data share, and its own by default.
  /// - Throws: `ConfigError` for a setting that was changed and means nothing to this set.
  func load(_ request: DataRequest) throws -> Dataset {
    try request.settings.validate(at: request.path)
    try request.settings.check(for: groups, of: name, at: request.path)
    return try read([:], request)
  }
}
