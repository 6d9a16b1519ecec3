import LatentKit

/// What a recipe says about its data under `data.with`.
public struct DataSettings: ComponentConfig {
  /// What the bytes 0 to 255 are scaled to.
  public enum Range: String, Codable, Sendable {
    case unit, symmetric

    public var bounds: ClosedRange<Double> { self == .unit ? 0...1 : -1...1 }

    public init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      guard let value = Range(rawValue: try container.decode(String.self)) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected 'unit' or 'symmetric'")
      }
      self = value
    }
  }

  public var pad = 0
  public var range = Range.unit
  public var validation = 0.1
  public var limit: Int?
  public var test: Double?
  public var folds: Int?
  public var fold = 0
  public var foldSeed: Int?
  public var embedded: Bool?
  public var shift = 0
  public var flip = false
  public var missing = TableFormat.Missing.refuse
  public var path: String?
  public var separator = TableFormat.Separator.auto
  public var decimal = TableFormat.Decimal.point
  public var samples = TableFormat.Direction.rows
  public var header: Bool?
  public var label: TableFormat.Column?
  public var drop: [TableFormat.Column] = []
  public var unpackLimit = TableFormat().unpackLimit

  public init() {}

  public static var help: KeyValuePairs<String, String> {
    [
      "pad": "Pixels added on each side of an image, with the value of byte 0.",
      "range": "What the bytes 0 to 255 become: 'unit' for 0 to 1, 'symmetric' for -1 to 1.",
      "validation": "Share of the training part that is held out, from every class alike; 0 for none.",
      "limit": "Train on this many examples only, balanced over classes.",
      "test": "Share cut out of the training part as the test part, for data without one of their own; unset: 0.25.",
      "folds":
        "Cuts the training part into so many stratified folds, for cross-validation; the set's own test part is left aside.",
      "fold": "The fold that is the test part, from 0.",
      "foldSeed":
        "What the cut into folds depends on; the run's seed unless said, so that runs of several seeds can share folds.",
      "embedded": "true: the small set that ships with the package; false: never that; unset: when there is no other.",
      "shift": "Augmentation: each training image moves by up to this many pixels along both axes.",
      "flip": "Augmentation: each training image is mirrored left to right in half of the cases.",
      "missing": "Tables: cells without a value are refused, or, by 'keep', left to the transform 'impute'.",
      "path": "Data 'table': the file, delimited text, .npy or .npz; looked for here, then in the data folder.",
      "separator": "Data 'table': what stands between cells: 'comma', 'semicolon', 'tab', or 'auto' by the first row.",
      "decimal": "Data 'table': 'point' or 'comma' before the fraction of a number.",
      "samples": "Data 'table': whether each sample is one of the 'rows' or of the 'columns'.",
      "header": "Data 'table': whether the first row has names; unset: where none of its cells is a number.",
      "label":
        "Data 'table': name or number, from 1, of the labels' column (row, for samples in columns); -1 is the last, 'none' for no labels; unset: label, labels, class or target.",
      "drop":
        "Data 'table': names or numbers, as for the label, of columns (rows, for samples in columns) that are left out.",
      "unpackLimit": "Tables: how many MiB a compressed file (.gz, .npz) may unpack to.",
    ]
  }

  /// - Throws: `ConfigError` for a setting out of its range.
  public func validate(at path: String = "data.with") throws {
    func check(_ isFine: Bool, _ name: String, _ found: Any, _ expected: String) throws {
      guard isFine else { throw ConfigError(path: "\(path).\(name)", "found \(found), expected \(expected)") }
    }
    try check((0...1024).contains(pad), "pad", pad, "0 to 1024 pixels")
    try check((0...1024).contains(shift), "shift", shift, "0 to 1024 pixels")
    try check(validation >= 0 && validation < 1, "validation", validation, "a share from 0 up to, not including, 1")
    try check(
      (1...1_048_576).contains(unpackLimit), "unpackLimit", unpackLimit, "1 to 1,048,576 MiB, a TiB at most")
    if let limit { try check(limit > 0, "limit", limit, "at least 1 example") }
    if let test {
      try check(test > 0 && test < 1, "test", test, "a share between 0 and 1")
      try check(folds == nil, "test", test, "nothing beside data.folds, of which one is the test part; leave one out")
    }
    if let folds {
      try check(folds >= 2, "folds", folds, "2 or more; leave it out for the data's own test part")
      try check((0..<folds).contains(fold), "fold", fold, "0 to \(folds - 1), as there are \(folds) folds")
    } else {
      try check(fold == 0, "fold", fold, "a number of folds with it; set data.folds")
    }
  }

  // MARK: What kind of data a setting is for

  enum Kind: String {
    case images, knownTable, tableFile
  }

  private static let forImages: Set<String> = ["pad", "range", "embedded", "shift", "flip"]
  private static let forTables: Set<String> = ["missing", "unpackLimit"]
  private static let forFiles: Set<String> = ["path", "separator", "decimal", "samples", "header", "label", "drop"]

  private static func isFor(_ kind: Kind, _ name: String) -> Bool {
    switch kind {
    case .images: !forTables.contains(name) && !forFiles.contains(name)
    case .knownTable: !forImages.contains(name) && !forFiles.contains(name)
    case .tableFile: !forImages.contains(name)
    }
  }

  /// - Throws: `ConfigError` for a setting that was changed and means nothing to data of this kind.
  func refuse(whatIsNotFor kind: Kind, of name: String, at path: String) throws {
    let defaults = try DataSettings().values
    for (setting, value) in try values.sorted(by: { $0.key < $1.key })
    where !DataSettings.isFor(kind, setting) && value != defaults[setting] {
      let what =
        switch kind {
        case .images: "is for tables, and '\(name)' has images"
        case .tableFile: "is for images, and '\(name)' is a table"
        case .knownTable where DataSettings.forImages.contains(setting): "is for images, and '\(name)' is a table"
        case .knownTable: "is known for '\(name)', and is for data 'table'"
        }
      throw ConfigError(path: "\(path).\(setting)", "\(what); leave it out")
    }
  }

  /// Every setting that means something for data of these inputs, by name: what a run writes down.
  public func values(for dataset: Dataset) throws -> [String: Value] {
    let kind: Kind = dataset.train.areImages ? .images : path == nil ? .knownTable : .tableFile
    return try values.filter { DataSettings.isFor(kind, $0.key) }
  }

  var tableFormat: TableFormat {
    var format = TableFormat()
    (format.separator, format.decimal, format.samples) = (separator, decimal, samples)
    (format.header, format.label, format.drop, format.missing) = (header, label, drop, missing)
    format.unpackLimit = unpackLimit
    return format
  }
}
