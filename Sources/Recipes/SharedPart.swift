import Files
import Foundation
import LatentKit

/// A trained part in a folder of its own, as `host export` writes it: what `part.json` says about it.
public struct SharedPart: Codable, Sendable, Equatable {
  /// The kind and version of the format.
  public var format = SharedPart.format
  /// The slot, `encoder` say.
  public var slot: String
  /// The name in recipes.
  public var use: String
  /// The plugin that contributes it.
  public var plugin: String
  /// Every setting by name.
  public var settings: [String: Value]
  /// The versions that wrote it: `latentkit`, `libtorch`.
  public var versions: [String: String]
  /// The inputs of the model that it is from.
  public var inputs: Inputs
  /// The length of a latent vector.
  public var latent: Int
  /// The classes of the data; nil without labels.
  public var classes: Classes?
  /// Whether the part is given labels.
  public var takesLabels: Bool
  /// The names and shapes of what the part takes and makes; a batch's size is 0.
  public var takes: [Named], makes: [Named]
  /// The tensors of `weights.safetensors`.
  public var weights: [Weight]
  /// The other parts of its model, by slot: plugin and name.
  public var parts: [String: String]
  /// How the data were prepared: the data set's name and settings, and the transforms with theirs.
  public var preprocessing: Preprocessing
  /// Why there is no `part.py`; nil where there is one.
  public var withoutPython: String?
  /// The SHA-256 of the other files of the folder.
  public var files: [String: String] = [:]

  static let format = "latentkit-part-1"

  /// The inputs of a model.
  public struct Inputs: Codable, Sendable, Equatable {
    /// `[channels, height, width]` after padding, or `[features]`.
    public var shape: [Int]
    /// The least and the greatest value; nil without bounds.
    public var range: [Double]?
    /// Pixels of padding on each side of an image.
    public var padding: Int
    /// A checksum of the columns and the fitted transforms of rows of numbers; empty for images.
    public var units: String
    /// The names of the columns of rows of numbers, in order; nil for images.
    public var columns: [String]?

    /// Creates a description of data.
    public init(_ data: DataShape, columns: [String]? = nil) {
      (shape, padding, units, self.columns) = (data.inputShape, data.padding, data.inputUnits, columns)
      range = data.inputRange.map { [$0.lowerBound, $0.upperBound] }
    }
  }

  /// The classes of labelled data.
  public struct Classes: Codable, Sendable, Equatable {
    /// How many there are.
    public var count: Int
    /// Their names in order; nil where classes have numbers only.
    public var names: [String]?
    /// Creates a description.
    public init(count: Int, names: [String]?) { (self.count, self.names) = (count, names) }
  }

  /// A tensor by name.
  public struct Named: Codable, Sendable, Equatable {
    /// The name.
    public var name: String
    /// The lengths of its axes.
    public var shape: [Int]
    /// Creates a description.
    public init(_ name: String, _ shape: [Int]) { (self.name, self.shape) = (name, shape) }
  }

  /// A tensor of a part.
  public struct Weight: Codable, Sendable, Equatable {
    /// The name below the part's slot.
    public var name: String
    /// The lengths of its axes.
    public var shape: [Int]
    /// `weight` where training changes it by gradients, `buffer` where it does not.
    public var role: String
    /// Creates a description.
    public init(_ name: String, _ shape: [Int], role: String) {
      (self.name, self.shape, self.role) = (name, shape, role)
    }
  }

  /// The preparation of data.
  public struct Preprocessing: Codable, Sendable, Equatable {
    /// The data set.
    public var data: String
    /// Its settings.
    public var settings: [String: Value]
    /// The transforms in order; what they were fitted to is in `preprocessing.safetensors`.
    public var transforms: [Transform]
    /// Creates a description.
    public init(data: String, settings: [String: Value], transforms: [Transform]) {
      (self.data, self.settings, self.transforms) = (data, settings, transforms)
    }
    /// A transform by name.
    public struct Transform: Codable, Sendable, Equatable {
      /// The name in recipes.
      public var use: String
      /// Its settings.
      public var with: [String: Value]
      /// Creates a description.
      public init(use: String, with: [String: Value]) { (self.use, self.with) = (use, with) }
    }
  }

  /// The folder, as the recipe names it; empty for a part that has not been written.
  public internal(set) var folder = ""

  private enum CodingKeys: String, CodingKey {
    case format, slot, use, plugin, settings, versions, inputs, latent, classes, takesLabels, takes, makes, weights,
      parts
    case preprocessing, withoutPython, files
  }

  /// Creates the description of a part.
  public init(
    slot: Slot, use: String, plugin: String, settings: [String: Value], data: DataShape, latent: Int, takesLabels: Bool,
    takes: [Named], makes: [Named], weights: [Weight], parts: [String: String], preprocessing: Preprocessing,
    columns: [String]? = nil
  ) {
    (self.slot, self.use, self.plugin, self.settings) = (slot.name, use, plugin, settings)
    (inputs, self.latent, self.takesLabels) = (Inputs(data, columns: columns), latent, takesLabels)
    classes = data.classCount.map { Classes(count: $0, names: data.classNames) }
    (self.takes, self.makes, self.weights, self.parts) = (takes, makes, weights, parts)
    self.preprocessing = preprocessing
    versions = ["latentkit": LatentKitVersion.current, "libtorch": Torch.version]
  }

  // MARK: Files

  /// The file that describes the part.
  public static let description = "part.json"
  /// The file of its tensors.
  public static let weights = "weights.safetensors"
  /// The checksum of each file, as sha256sum writes them.
  public static let sums = "SHA256SUMS"
  /// The file of inputs with the outputs that the part makes of them.
  public static let examples = "examples.safetensors"

  /// Returns the bytes of `part.json`, in one order.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads the description of a part.
  ///
  /// - Returns: The part, and the checksum of its description, which has those of its other files.
  /// - Throws: `RecipeError` for a folder that is none of a part, or one of another version.
  public static func describe(_ folder: String) throws -> (part: SharedPart, checksum: String) {
    let url = URL(fileURLWithPath: folder).appendingPathComponent(description)
    guard OutputPlace(url, followsLinks: true) != nil else {
      throw RecipeError(
        "there is no part in \(folder): it has no \(description); name a folder that 'host export' wrote, or the folder of a run"
      )
    }
    try OutputPlace.requireReadable(url)
    let data: Data
    do { data = try Data(contentsOf: url) } catch { throw FileError(url.path, "cannot be read") }
    struct Format: Decodable { let format: String }
    guard data.count < 100_000_000, let format = try? JSONDecoder().decode(Format.self, from: data).format else {
      throw RecipeError("\(url.relativePath) does not describe a part; export it again")
    }
    guard format == Self.format else {
      throw RecipeError(
        "the part in \(folder) has the format '\(format.shortened())', expected '\(Self.format)'; export it again, or use the "
          + "LatentKit that wrote it")
    }
    let checksum = try Checksum(.sha256, of: data).digits
    let sums = try PartSums(folder)
    guard sums[description] == checksum else {
      throw RecipeError(
        "the part in \(folder) is damaged: \(description) is not the file that was exported; copy it again")
    }
    var part: SharedPart
    do { part = try JSONDecoder().decode(SharedPart.self, from: data) } catch {
      throw RecipeError("\(url.relativePath) is damaged: \(decodingFault(error)); export the part again")
    }
    if let fault = part.fault {
      throw RecipeError("\(url.relativePath) is damaged: \(fault.shortened(to: 300)); export the part again")
    }
    for (name, digits) in part.files.sorted(by: { $0.key < $1.key }) where sums[name] != digits {
      throw RecipeError(
        "the part in \(folder) is damaged: \(sums) has another checksum of \(name.shortened()) than \(description); "
          + "copy it again")
    }
    part.folder = folder
    if let version = part.versions["latentkit"], LatentKitVersion.isOlder(than: version) {
      throw RecipeError(
        "the part in \(folder) is from LatentKit \(version.shortened()), and this is \(LatentKitVersion.current); use that version "
          + "or a newer one")
    }
    return (part, checksum)
  }

  /// Reads the part of an origin and checks every file against its checksum.
  ///
  /// - Returns: As `describe`.
  /// - Throws: `RecipeError` where it is not what the recipe was resolved with, or a file has changed.
  public static func read(_ origin: PartOrigin) throws -> (part: SharedPart, checksum: String) {
    let (part, checksum) = try describe(origin.folder)
    if let expected = origin.checksum, expected != checksum {
      throw RecipeError(
        "the part in \(origin.folder) has changed: found the checksum \(checksum.prefix(12)), expected \(expected.prefix(12)) as in "
          + "the recipe; put the old one back, or leave 'checksum' out of the recipe to take the new one")
    }
    for (name, expected) in part.files.sorted(by: { $0.key < $1.key }) {
      guard FileName.defect(in: name) == nil else {
        throw RecipeError("the part in \(origin.folder) lists the file '\(name.shortened())'; export it again")
      }
      let file = URL(fileURLWithPath: origin.folder).appendingPathComponent(name)
      guard OutputPlace(file, followsLinks: true) != nil else {
        throw RecipeError(
          "the part in \(origin.folder) has no \(name); copy the whole folder again, or export it again")
      }
      try OutputPlace.requireReadable(file)
      guard try Checksum(.sha256, of: file).digits == expected else {
        throw RecipeError(
          "the part in \(origin.folder) is damaged: \(name) is not the file that was exported; copy it again")
      }
    }
    for name in [weights, examples] where part.files[name] == nil {
      throw RecipeError("the part in \(origin.folder) has no \(name); export it again")
    }
    return (part, checksum)
  }
}

extension Recipe {
  /// Returns the recipe with the names, settings and checksums of the parts that it takes from folders. Those that are written
  /// down already are checked when weights are loaded.
  func takingParts(_ catalog: Catalog) throws -> Recipe {
    var recipe = self
    for slot in RecipeKey.slots where slot.isSingle {
      guard let choice = self[slot], let origin = choice.origin, origin.checksum == nil || choice.use.isEmpty else {
        continue
      }
      func refuse(_ error: any Error) -> ConfigError { ConfigError(path: "\(slot.key).from", "\(error)") }
      if origin.isRun {
        do { try recipe.take(slot, ofRun: origin, as: choice, catalog) } catch { throw refuse(error) }
        continue
      }
      let (part, checksum): (SharedPart, String)
      do { (part, checksum) = try SharedPart.describe(origin.folder) } catch { throw refuse(error) }
      guard part.slot == slot.name else {
        throw refuse(
          RecipeError(
            "the part in \(origin.folder) is \(part.noun), expected \(slot.noun); name another folder"))
      }
      guard choice.use.isEmpty || choice.use == part.use else {
        throw refuse(
          RecipeError(
            "the part in \(origin.folder) is \(slot.name) '\(part.use.shortened())', found '\(choice.use)' in the recipe; "
              + "leave 'use' out"))
      }
      guard let own = catalog.descriptions(of: slot).first(where: { $0.name == part.use }) else {
        throw refuse(
          RecipeError(
            "the part in \(origin.folder) is \(slot.name) '\(part.use.shortened())' of plugin \(part.plugin.shortened()), which this "
              + "program does not have; build a host with that plugin"))
      }
      guard own.plugin == part.plugin else {
        throw refuse(
          RecipeError(
            "the part in \(origin.folder) is \(slot.name) '\(part.use.shortened())' of plugin \(part.plugin.shortened()), and this "
              + "program's is of plugin \(own.plugin); build a host with the other one"))
      }
      if let change = part.change(choice.with) { throw refuse(RecipeError(change)) }
      recipe[slot]?.use = part.use
      recipe[slot]?.with = part.settings
      recipe[slot]?.origin?.checksum = origin.checksum ?? checksum
    }
    return recipe
  }
}

extension Recipe {
  /// Takes the name and the settings of the part that a run has in a slot. Its checksum is written down when its weights are loaded.
  private mutating func take(
    _ slot: Slot, ofRun origin: PartOrigin, as choice: PartChoice, _ catalog: Catalog
  ) throws {
    let found = try origin.choice(ofRun: slot)
    guard choice.use.isEmpty || choice.use == found.use else {
      throw RecipeError(
        "the run in \(origin.folder) has \(slot.name) '\(found.use)', found '\(choice.use)' in the recipe; leave 'use' out"
      )
    }
    _ = try catalog.description(of: slot, found.use)
    if let change = SharedPart.change(choice.with, from: found.with, of: slot.name, in: origin.folder) {
      throw RecipeError(change)
    }
    self[slot]?.use = found.use
    self[slot]?.with = found.with
  }
}

extension SharedPart {
  /// The sentence about a setting that is not the part's own; nil where all are.
  func change(_ settings: [String: Value]) -> String? {
    SharedPart.change(settings, from: self.settings, of: slot, in: folder)
  }

  fileprivate static func change(
    _ settings: [String: Value], from known: [String: Value], of slot: String, in folder: String
  ) -> String? {
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
      let own = known[name] ?? .null
      guard value != own, !(value.number != nil && value.number == own.number) else { continue }
      return
        "the part in \(folder) has \(slot).\(name) \(own.shortText), found \(value.shortText); its settings cannot change, leave "
        + "\(slot).\(name) out, or choose a part by name"
    }
    return nil
  }
}

extension Value {
  fileprivate var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
