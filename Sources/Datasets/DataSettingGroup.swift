import LatentKit

/// Settings of data that belong together: a data set takes those of some groups.
public enum DataSettingGroup: Sendable, CaseIterable {
  /// Settings that split, limit, label and weight examples, for all data.
  case parts
  /// Settings that pad, scale and augment images.
  case images
  /// Whether the small set that ships with the package is taken.
  case embedded
  /// Settings for tables of any format.
  case tables
  /// How much packed files may unpack to.
  case unpacking
  /// Where the file or folder is, for data that are named by their place.
  case place
  /// The format of a file: for tables that are named by their path.
  case files

  /// The settings' names.
  public var names: [String] {
    switch self {
    case .parts:
      [
        "validation", "limit", "labelled", "labelledShare", "holdOut", "classWeights", "test", "folds", "fold",
        "foldSeed", "splitFile",
      ]
    case .images: ["pad", "padTo", "range", "shift", "flip"]
    case .embedded: ["embedded"]
    case .tables: ["missing"]
    case .unpacking: ["unpackLimit"]
    case .place: ["path"]
    case .files: ["separator", "decimal", "samples", "header", "label", "id", "labelFile", "layer", "drop"]
    }
  }

  static func group(of name: String) -> DataSettingGroup? { allCases.first { $0.names.contains(name) } }
}

extension DataSettings {
  /// Checks that no setting was changed that means nothing to data of some groups.
  /// - Throws: `ConfigError` for the first one by name.
  func check(for groups: Set<DataSettingGroup>, of dataset: String, at path: String) throws {
    let defaults = try DataSettings().values
    for (setting, value) in try values.sorted(by: { $0.key < $1.key }) where value != defaults[setting] {
      guard let group = DataSettingGroup.group(of: setting), !groups.contains(group) else { continue }
      throw DataSettings.refusal(of: setting, in: group, for: groups, of: dataset, at: path)
    }
  }

  static func refusal(
    of setting: String, in group: DataSettingGroup, for groups: Set<DataSettingGroup>, of dataset: String,
    at path: String
  ) -> ConfigError {
    let what =
      switch group {
      case .embedded where groups.contains(.images): "is for sets that ship with the package, and '\(dataset)' does not"
      case .images, .embedded: "is for images, and '\(dataset)' is a table"
      case .place where groups.contains(.images):
        "is for data that are named by their place, and '\(dataset)' is found by its name"
      case .files where groups.contains(.tables), .place where groups.contains(.tables):
        "is known for '\(dataset)', and is for data 'table'"
      case .unpacking where groups.contains(.images): "is for files that are named by their place, and for tables"
      case .tables where !groups.contains(.images), .unpacking where !groups.contains(.images):
        "is for tables that are read from files, and '\(dataset)' is none"
      default: "is for tables, and '\(dataset)' has images"
      }
    return ConfigError(path: "\(path).\(setting)", "\(what); leave it out")
  }

  /// Returns every setting that applies to data of these inputs, by name, as a run records them.
  public func values(for dataset: Dataset) throws -> [String: Value] {
    let groups: Set<DataSettingGroup> =
      dataset.train.areImages
      ? DatasetEntry.Kind.images.groups.union([.embedded])
      : DatasetEntry.Kind.rows.groups.union(
        path == nil ? [.tables, .unpacking] : [.tables, .unpacking, .place, .files])
    return try values.filter { name, _ in DataSettingGroup.group(of: name).map(groups.contains) ?? true }
  }
}
