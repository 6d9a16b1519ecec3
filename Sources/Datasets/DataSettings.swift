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
  public var folds: Int?
  public var fold = 0
  public var foldSeed: Int?
  public var embedded: Bool?
  public var shift = 0
  public var flip = false

  public init() {}

  public static var help: KeyValuePairs<String, String> {
    [
      "pad": "Pixels added on each side of an image, with the value of byte 0.",
      "range": "What the bytes 0 to 255 become: 'unit' for 0 to 1, 'symmetric' for -1 to 1.",
      "validation": "Share of the training part that is held out, from every class alike; 0 for none.",
      "limit": "Train on this many examples only, balanced over classes.",
      "folds":
        "Cuts the training part into so many stratified folds, for cross-validation; the set's own test part is left aside.",
      "fold": "The fold that is the test part, from 0.",
      "foldSeed":
        "What the cut into folds depends on; the run's seed unless said, so that runs of several seeds can share folds.",
      "embedded": "true: the small set that ships with the package; false: never that; unset: when there is no other.",
      "shift": "Augmentation: each training image moves by up to this many pixels along both axes.",
      "flip": "Augmentation: each training image is mirrored left to right in half of the cases.",
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
    if let limit { try check(limit > 0, "limit", limit, "at least 1 example") }
    if let folds {
      try check(folds >= 2, "folds", folds, "2 or more; leave it out for the data's own test part")
      try check((0..<folds).contains(fold), "fold", fold, "0 to \(folds - 1), as there are \(folds) folds")
    } else {
      try check(fold == 0, "fold", fold, "a number of folds with it; set data.folds")
    }
  }
}
