import Datasets
import Foundation
import LatentKit

enum DataChecks {
  static let all = [examples, settings]

  /// Loads a set that is made or ships with the package.
  /// - Throws: `Skip` for a set whose files are not here.
  private static func load(_ part: PartUnderTest, _ settings: [String: Value] = [:], seed: UInt64 = 1) throws -> Dataset
  {
    let entry = try part.catalog.dataset(part.name)
    var values = settings
    if entry.settings.contains(where: { $0.name == "embedded" }) { values["embedded"] = true }
    let environment = ProcessInfo.processInfo.environment
    do { return try entry.load(values, environment: environment, seed: seed) } catch let error as DatasetError {
      guard entry.published == nil, entry.files.isEmpty, !needsFile(entry) else {
        throw Skip("its files are not here: \(error)")
      }
      throw error
    } catch let error as ConfigError {
      guard needsFile(entry) else { throw error }
      throw Skip("it reads files that a recipe names: \(error)")
    }
  }

  /// Whether the set has no examples until a setting names some.
  private static func needsFile(_ entry: DatasetEntry) -> Bool {
    entry.settings.contains { $0.name == "file" || $0.name == "folder" || $0.name == "path" }
  }

  private static let examples = Check(
    .data, "examples",
    "Examples are there, with finite inputs, labels of the classes and as many of them, and the same at each loading."
  ) { part in
    let (data, again) = (try load(part), try load(part))
    for (name, examples, other) in [
      ("training", data.train as Examples?, again.train as Examples?), ("test", data.test, again.test),
    ] {
      guard let examples, let other else { continue }
      try require(examples.count > 0, "the \(name) part is empty")
      let source = try BatchSource(examples, classCount: data.classCount, device: part.device)
      let batch = try source.batch(0..<min(32, source.count))
      // Bytes of images are finite; what becomes of them is seen in a batch.
      let inputs = examples.areImages ? batch.inputs : examples.inputs
      let bad = try inputs.isFinite().not().nonzero()
      if try bad.size(0) > 0 {
        let place = try bad.select(0).ints()
        throw Fault(
          "inputs of the \(name) part are not finite: found \(try place.reduce(inputs) { try $0.select($1) }.item()) in example "
            + "\(place[0] + 1)" + (examples.areImages ? "" : ", column \(place[1] + 1)")
            + "; where values are missing, fill them in or leave their examples out, and keep NaN only if a setting asks for it"
        )
      }
      if let labels = examples.labels {
        guard let count = data.classCount else { throw Fault("there are labels, and no number of classes") }
        let values = try labels.ints()
        try require(
          values.count == examples.count, "\(examples.count) examples of the \(name) part have \(values.count) labels")
        try require(
          values.allSatisfy { (0..<count).contains($0) },
          "a label of the \(name) part is not one of the \(count) classes")
      }
      try require(
        try sameBits([examples.inputs], [other.inputs]), "loaded twice, the inputs of the \(name) part differ")
      try require(
        try sameBits([examples.labels].compactMap(\.self), [other.labels].compactMap(\.self)),
        "loaded twice, the labels of the \(name) part differ")
    }
    if let names = data.classNames {
      try require(names.count == data.classCount, "\(names.count) class names for \(data.classCount ?? 0) classes")
    }
    return .passed
  }

  private static let settings = Check(
    .data, "settings",
    "The set loads with the ends of each of its own settings and each choice, or refuses by a sentence."
  ) { part in
    _ = try load(part)
    let entry = try part.catalog.dataset(part.name)
    guard entry.published == nil, entry.files.isEmpty else {
      return .skipped("its settings are those that all data share")
    }
    for setting in entry.settings {
      for value in SettingEnds.values(of: setting) {
        do {
          try require(
            try load(part, [setting.name: value]).train.count > 0,
            "with \(setting.name): \(value.text) there are no examples")
        } catch is ConfigError {} catch is DatasetError {} catch is RecipeError {} catch is Skip {
        } catch let error as TensorError {
          throw Fault("with \(setting.name): \(value.text) libtorch refuses it: \(error)")
        }
      }
    }
    return .passed
  }
}
