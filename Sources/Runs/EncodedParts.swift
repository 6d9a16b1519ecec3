import Datasets
import Files
import Foundation
import LatentKit
import Statistics
import Training

/// The parts of a run's data with their latents, as its files have them.
struct EncodedParts {
  /// One part.
  struct Part {
    let name: DataPart
    let examples: Examples
    let latents: LatentSet
    let predictions: Predictions
  }

  private let session: Session
  /// Training, validation and test.
  private let parts: [Part]

  /// - Parameters:
  ///   - training: Latents of the training part.
  ///   - test: Those of the test part, with what was measured on it.
  init(_ session: Session, training: LatentSet, test: EvaluationResult) throws {
    self.session = session
    let predictor = try Predictor(session, training: training)
    func part(_ name: DataPart, _ source: BatchSource, _ latents: LatentSet, _ scores: Tensor? = nil) throws -> Part {
      let scores = try scores ?? session.evaluator.scores(of: latents.latents)
      return Part(
        name: name, examples: source.examples, latents: latents,
        predictions: try predictor.predict(latents.latents, scores: scores))
    }
    parts =
      [try part(.train, session.training, training)]
      + [try session.validation.map { try part(.validation, $0, session.evaluator.encode($0)) }].compactMap { $0 }
      + [try part(.test, session.test, test.latents, test.scores)]
  }

  // MARK: Files

  /// Writes `latents.safetensors`: `latents`, `labels`, `labelled` and `rows` of the training part; those of the other parts
  /// under their names, `test.latents` say; class names and ids as JSON in the metadata.
  func writeLatents(to url: URL) throws {
    var tensors: [String: Tensor] = [:]
    for part in parts {
      let prefix = part.name == .train ? "" : "\(part.name.rawValue)."
      tensors["\(prefix)latents"] = part.latents.latents
      tensors["\(prefix)labels"] = part.latents.labels
      tensors["\(prefix)labelled"] = part.latents.labelled
      tensors["\(prefix)rows"] = part.examples.rows
    }
    var metadata: [String: String] = [:]
    for (name, texts) in [("classNames", session.dataset.classNames), ("ids", session.dataset.ids)] {
      metadata[name] = try texts.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    }
    try Safetensors.write(tensors, metadata: metadata, isChecked: true, to: url)
  }

  /// Writes the latents of all parts as CSV, a line for each example.
  func writeLatentTable(to url: URL) throws {
    let names = (1...session.composition.model.encoder.latentSize).map { "latent \($0)" }
    try AtomicFile.write(to: url) { append in
      let labels = session.dataset.classCount == nil ? [] : ["label"]
      try append(Data(CSV.row(session.rowTitles + ["part"] + labels + names).utf8))
      for part in parts {
        let cells = try part.latents.latents.to(.cpu).contiguous().floats()
        let (rows, classes) = (try part.examples.rowNumbers(), try session.classNames(of: part.examples))
        for place in 0..<part.examples.count {
          let values = cells[place * names.count..<(place + 1) * names.count].map { "\($0)" }
          try append(
            Data(
              CSV.row(
                session.rowCells(rows[place]) + [part.name.rawValue] + (labels.isEmpty ? [] : [classes?[place] ?? ""])
                  + values
              ).utf8))
        }
      }
    }
  }

  /// Writes what is predicted of all parts as CSV, a line for each example.
  func writePredictions(to url: URL) throws {
    try AtomicFile.write(to: url) { append in
      for (number, part) in parts.enumerated() {
        let predictions = part.predictions
        let (rows, truth) = (try part.examples.rowNumbers(), try session.classNames(of: part.examples))
        if number == 0 {
          try append(
            Data(
              CSV.row(
                session.rowTitles + ["part", "true", "predicted"] + predictions.columns.map(\.name)
              ).utf8))
        }
        for place in 0..<part.examples.count {
          let predicted = predictions.classes.map { session.className($0[place]) } ?? ""
          try append(
            Data(
              CSV.row(
                session.rowCells(rows[place]) + [part.name.rawValue, truth?[place] ?? "", predicted]
                  + predictions.columns.map { $0.cells[place] }
              ).utf8))
        }
      }
    }
  }

  /// The Euclidean distances between the class means of test latents; nil without labels, and unless there are 2 to 40 classes.
  func classDistances() throws -> MeasuredTable? {
    guard let test = parts.last, test.latents.labels != nil, let count = session.dataset.classCount,
      (2...40).contains(count)
    else { return nil }
    let latents = try test.latents.latents.to(.float64)
    let set = LatentSet(latents: latents, labels: test.latents.labels, labelled: test.latents.labelled)
    let means = try set.classMeans(count)
    let (flat, names) = (try means.distances(to: means).doubles(), (0..<count).map(session.className))
    return MeasuredTable(
      rowTitle: "class", rows: names, columnTitle: "class", columns: names,
      values: (0..<count).map { Array(flat[$0 * count..<($0 + 1) * count]) })
  }

  /// How many test examples of each true class are predicted to be of each class; nil without labels and for more than 100 classes.
  func confusion() throws -> MeasuredTable? {
    guard let test = parts.last, let count = session.dataset.classCount, (2...100).contains(count),
      let labels = try test.latents.labels?.ints(),
      let predicted = test.predictions.classes
    else { return nil }
    let isLabelled = try test.latents.labelled?.ints()
    let known = labels.indices.filter { isLabelled?[$0] ?? 1 == 1 }
    return ConfusionMatrix(
      truth: known.map { labels[$0] }, predicted: known.map { predicted[$0] }, classCount: count
    ).table((0..<count).map(session.className))
  }
}

extension Session {
  /// The titles of the columns by which rows of files are known: `id`, where the data have ids, and `row`.
  var rowTitles: [String] { (dataset.ids == nil ? [] : ["id"]) + ["row"] }

  /// The cells of those columns.
  ///
  /// - Parameter row: In the data as they were read, from 0.
  func rowCells(_ row: Int) -> [String] { (dataset.ids.map { [$0[row]] } ?? []) + ["\(row)"] }

  /// Writes which row of the data is in which part, as `data.splitFile` reads it.
  func writeSplit(to url: URL) throws {
    let parts = [(DataPart.train, training), (.validation, validation), (.test, test)].compactMap { name, source in
      source.map { (name, $0.examples) }
    }
    try AtomicFile.write(to: url) { append in
      var lines = CSV.row(rowTitles + ["part"])
      for (name, examples) in parts {
        for row in try examples.rowNumbers() { lines += CSV.row(rowCells(row) + [name.rawValue]) }
      }
      try append(Data(lines.utf8))
    }
  }

  /// The class of each example, empty where its label is hidden; nil without labels.
  func classNames(of examples: Examples) throws -> [String]? {
    let isLabelled = try examples.isLabelled?.ints()
    return try examples.labels?.ints().enumerated().map { isLabelled?[$0] == 0 ? "" : className($1) }
  }
}

extension Examples {
  /// The row of each in the data, from 0; their places where they have none.
  func rowNumbers() throws -> [Int] { try rows?.ints() ?? Array(0..<count) }
}
