import Foundation
import LatentKit

/// Examples to train on and to test on, with what is known about them.
public struct Dataset: Sendable {
  /// The name that recipes use: `mnist`.
  public let name: String
  /// The name for people.
  public let title: String
  /// The training examples.
  public var train: Examples
  /// Held out from training to watch it; nil where nothing is.
  public var validation: Examples?
  /// Nil for data that have no test part of their own; `prepared` cuts one out.
  public var test: Examples?
  /// Examples of classes that `holdOut` keeps from all other parts, of the test part where that has some; labels number these
  /// classes anew, from 0. Nil where none is held out.
  public internal(set) var unseen: Examples?
  /// The names of the held-out classes in the order of their labels; nil where classes have numbers only, or none is held out.
  public internal(set) var unseenNames: [String]?
  /// The names of the labels 0, 1, ….
  public internal(set) var classNames: [String]?
  /// The names of a table's columns; nil for images.
  public let featureNames: [String]?
  /// A text for each row of the data, which identifies it: the names of samples, or of pictures' files. Nil where rows have none.
  public let ids: [String]?
  /// The name of a table's column of ids; nil where it has none.
  var idColumn: String?
  /// The number of classes; nil without labels.
  public internal(set) var classCount: Int?
  /// The checksum of the files that a user's own data were read from, by which a change of them is noticed: of a table as it
  /// is unpacked, of data `images` with the files' names; nil for other data.
  public internal(set) var digest: String?
  /// The weight of each class's examples; nil for equal weights.
  public private(set) var classWeights: [Double]?
  /// The origin of the examples.
  public internal(set) var origin: Origin
  /// Whether a file says what the parts are.
  var isSplit = false
  /// A sentence on what a person should know of these examples, files that were left out say; nil for nothing.
  public var remark: String?

  /// The origin of the examples.
  public indirect enum Origin: Sendable, Equatable, CustomStringConvertible {
    case files([URL])
    /// The small set that ships with the package.
    case embedded(train: Int, test: Int)
    /// Made by a program, with its description.
    case made(String)
    /// The test part was cut out of data of another origin, with a description of the cut.
    case cut(Origin, test: String)

    public var description: String {
      switch self {
      case .files(let files):
        Set(files.map { $0.deletingLastPathComponent().path }).sorted().joined(separator: ", ")
      case .embedded(let train, let test): "embedded subset of \(grouped(train)) + \(grouped(test))"
      case .made(let text): text
      case .cut(let origin, let test): "\(origin); test = \(test)"
      }
    }
  }

  /// - Throws: `DatasetError` where the parts do not fit each other, or a label is not one of the classes.
  public init(
    name: String, title: String, train: Examples, validation: Examples? = nil, test: Examples?,
    classNames: [String]? = nil, classCount: Int? = nil, featureNames: [String]? = nil, ids: [String]? = nil,
    digest: String? = nil, origin: Origin
  ) throws {
    let classCount = classCount ?? classNames?.count
    for (part, examples) in [("validation", validation), ("test", test)] {
      guard let examples else { continue }
      guard examples.inputShape == train.inputShape, examples.areImages == train.areImages else {
        throw DatasetError(
          "\(name): found \(part) inputs of shape \(examples.inputShape), expected \(train.inputShape) "
            + "as in the training part"
        )
      }
    }
    if let featureNames, [featureNames.count] != train.inputShape {
      throw DatasetError(
        "\(name): found \(featureNames.count) names of features, and inputs of shape \(train.inputShape); "
          + "give each feature one")
    }
    for (part, examples) in [("training", train), ("validation", validation), ("test", test)] {
      guard let labels = examples?.labels else { continue }
      guard let classCount else {
        throw DatasetError("\(name): the \(part) part has labels; pass classCount")
      }
      let wrong = try (labels .< 0).or(labels .>= Double(classCount)).nonzero()
      guard wrong.count == 0 else {
        let position = try wrong.select(0).ints()[0]
        throw DatasetError(
          "\(name): found label \(try labels.select(position).item()) at position \(position) of the \(part) part, "
            + "expected 0 to \(classCount - 1)")
      }
    }
    let counts = [train.count, validation?.count ?? 0, test?.count ?? 0]
    if let ids, ids.count != counts.reduce(0, +) {
      throw DatasetError(
        "\(name): found \(grouped(ids.count)) ids and \(grouped(counts.reduce(0, +))) examples; give each example one")
    }
    self.name = name
    self.title = title
    self.train = try train.numbered(from: 0)
    self.validation = try validation?.numbered(from: counts[0])
    self.test = try test?.numbered(from: counts[0] + counts[1])
    self.ids = ids
    self.classNames = classNames
    self.classCount = classCount
    self.featureNames = featureNames
    self.digest = digest
    self.origin = origin
  }

  /// `[channels, height, width]` or `[features]`, before padding.
  public var inputShape: [Int] { train.inputShape }

  /// A note for the user; nil when the examples are what their name promises.
  public var note: String? {
    guard case .embedded = origin else { return remark }
    return "data '\(name)' is the \(origin); 'host data fetch \(name)' gets the full set"
  }

  /// Returns the dataset prepared by a recipe's settings: without classes that are held out; with folds, or without a test part of their own, one
  /// cut out of the training part; then a validation part held out of the training part, then that limited; then labels
  /// of the training part hidden, and all parts weighted by class. The seed determines the examples.
  /// - Throws: `ConfigError` for a setting that does not fit these data.
  public func prepared(_ settings: DataSettings, seed: UInt64, at path: String = "data.with") throws -> Dataset {
    try settings.validate(at: path)
    var result = try holdingOut(settings.holdOut, at: "\(path).holdOut").cut(settings, seed: seed, at: path)
    do {
      if settings.validation > 0, validation == nil, !isSplit {
        let parts = try result.train.split(share: settings.validation, seed: seed, for: "data.validation")
        (result.train, result.validation) = (parts.kept, parts.held)
      }
    } catch let error as DatasetError {
      throw ConfigError(path: "\(path).validation", error.description)
    }
    if let limit = settings.limit {
      guard limit <= result.train.count else {
        throw ConfigError(
          path: "\(path).limit",
          "found \(grouped(limit)), and the training part of '\(name)' has \(grouped(result.train.count)) examples; "
            + "lower it or leave it out")
      }
      result.train = try result.train.balanced(limit, seed: seed, for: "data.limit")
    }
    try result.hideLabels(settings, seed: seed, at: path)
    try result.weigh(settings, at: path)
    return result
  }

  /// Hides labels of the training part by the settings.
  private mutating func hideLabels(_ settings: DataSettings, seed: UInt64, at path: String) throws {
    guard let labelled = settings.labelled else { return }
    func refused(_ reason: String) -> ConfigError {
      ConfigError(path: "\(path).labelled", "found \(labelled.text), \(reason)")
    }
    guard let classCount, train.labels != nil else { throw refused("and '\(name)' has no labels; leave it out") }
    let present = try train.labelledCounts(classCount).count { $0 > 0 }
    let (count, all) = (labelled.count(of: train.count), train.count)
    guard count <= all else {
      throw refused("and the training part of '\(name)' has \(grouped(all)) examples; lower it or leave it out")
    }
    guard count >= present else {
      throw refused(
        "which is \(count) of \(grouped(all)) training examples, expected at least one for each of the \(present) classes"
      )
    }
    train = try train.hidingLabels(exceptFor: count, seed: seed, for: Examples.labelOrder)
  }

  /// Weighs the examples of all parts by class, by the settings: a loss is the same function in each.
  private mutating func weigh(_ settings: DataSettings, at path: String) throws {
    guard let wanted = settings.classWeights else { return }
    do {
      guard let classCount, train.labels != nil else {
        throw DatasetError("'\(name)' has no labels to weigh by; leave it out")
      }
      let weights = try wanted.values(train.labelledCounts(classCount)) { classNames?[$0] ?? "class \($0)" }
      train = try train.weighted(weights)
      validation = try validation?.weighted(weights)
      test = try test?.weighted(weights)
      classWeights = weights
    } catch let error as DatasetError {
      throw ConfigError(path: "\(path).classWeights", error.description)
    }
  }

  /// Takes one fold of the training part as the test part, with folds in the settings; a share of it, where the data
  /// have no test part of their own.
  private func cut(_ settings: DataSettings, seed: UInt64, at path: String) throws -> Dataset {
    let cutSeed = settings.foldSeed.map { UInt64(max($0, 0)) } ?? seed
    let bySeed = "by seed \(Int64(bitPattern: cutSeed))"
    var result = self
    if let count = settings.folds {
      do {
        (result.train, result.test) = try train.fold(
          settings.fold, of: count, seed: cutSeed, for: "data.folds", className: { classNames?[$0] ?? "class \($0)" })
      } catch let error as DatasetError {
        throw ConfigError(path: "\(path).folds", error.description)
      }
      result.origin = .cut(origin, test: "fold \(settings.fold) of \(count), counted from 0, \(bySeed)")
    } else if test == nil {
      let share = settings.test ?? 0.25
      do {
        let parts = try train.split(share: share, seed: cutSeed, for: "data.test")
        (result.train, result.test) = (parts.kept, parts.held)
      } catch let error as DatasetError {
        throw ConfigError(path: "\(path).test", error.description)
      }
      result.origin = .cut(origin, test: "a stratified share of \(share), \(bySeed)")
    } else if let share = settings.test {
      throw ConfigError(
        path: "\(path).test",
        "found \(share), but '\(name)' has a test part of its own; leave it out, or set data.folds")
    }
    return result
  }
}
