import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// What a run predicts of some examples, a line for each, as a file has it.
public struct PredictionTable {
  /// The titles of the columns.
  public let head: [String]
  /// The cells of each line.
  public let rows: [[String]]
  /// What predicts, in words: `the highest score`; nil for data without classes.
  public let title: String?
  /// Sentences on what a person should know of the labels.
  public let notes: [String]

  /// One file's examples.
  struct Piece {
    let file: String
    let ids: [String]?
    let rows: [Int]
    let truth: [String]?
    let latents: Tensor
    let scores: Tensor?
  }

  init(_ pieces: [Piece], _ predictor: Predictor, classNames: [String]) throws {
    let hasIDs = pieces.contains { $0.ids != nil }
    let hasTruth = pieces.contains { $0.truth != nil }
    let predictions = try pieces.map { try predictor.predict($0.latents, scores: $0.scores) }
    let width = try predictions.first?.latents.size(1) ?? 0
    let isNamed = pieces.count > 1
    var head = isNamed ? ["file"] : []
    if hasIDs { head.append("id") }
    head.append("row")
    if hasTruth { head.append("true") }
    if predictor.title != nil { head.append("predicted") }
    head += predictions.first?.columns.map(\.name) ?? []
    head += (0..<width).map { "latent \($0 + 1)" }
    self.head = head
    var rows: [[String]] = []
    for (piece, found) in zip(pieces, predictions) {
      let latents = try found.latents.to(.cpu).contiguous().floats()
      for place in piece.rows.indices {
        var cells = isNamed ? [piece.file] : []
        if hasIDs { cells.append(piece.ids?[place] ?? "") }
        cells.append("\(piece.rows[place])")
        if hasTruth { cells.append(piece.truth?[place] ?? "") }
        if let classes = found.classes { cells.append(predictor.name(of: classes[place])) }
        cells += found.columns.map { $0.cells[place] }
        cells += latents[place * width..<(place + 1) * width].map { "\($0)" }
        rows.append(cells)
      }
    }
    self.rows = rows
    title = predictor.title
    let strange = Set(pieces.flatMap { $0.truth ?? [] }).subtracting(classNames).subtracting([""])
    notes =
      strange.isEmpty || title == nil
      ? []
      : [
        "no class of the run is called \(strange.sorted().map { "'\($0)'" }.listed(atMost: 5)); these labels count as errors"
      ]
  }

  /// The share of the examples with a label whose class is predicted, and their number; nil without labels.
  public var accuracy: (percent: Double, count: Int)? {
    guard let truth = head.firstIndex(of: "true"), let predicted = head.firstIndex(of: "predicted") else { return nil }
    let known = rows.filter { !$0[truth].isEmpty }
    guard !known.isEmpty else { return nil }
    return (100 * Double(known.count { $0[truth] == $0[predicted] }) / Double(known.count), known.count)
  }

  /// Calls `body` with each line of comma-separated values, its end included.
  public func forEachLine(_ body: (String) throws -> Void) rethrows {
    try body(CSV.row(head))
    for row in rows { try body(CSV.row(row)) }
  }

  /// Writes the table as comma-separated values.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws {
    try AtomicFile.write(to: url) { append in try forEachLine { try append(Data($0.utf8)) } }
  }
}

extension Run {
  /// Predicts the classes of examples of some files, or of a part of the run's own data.
  ///
  /// - Parameters:
  ///   - files: Tables or pictures, which go through the run's own transforms; none for its own data.
  ///   - part: The part of its own data.
  /// - Throws: `FileError` where a file has no examples like the run's, `RecipeError` if the part is missing or the model has
  ///   nothing to predict with.
  public func predict(_ files: [URL], part: DataPart = .test) throws -> PredictionTable {
    let predictor = try Predictor(session, training: reference())
    let pieces =
      files.isEmpty
      ? [try session.piece(of: session.part(part))]
      : try files.map { file in
        let new = try session.read(file)
        return try session.piece(of: new.source, file: file.relativePath, ids: new.ids, truth: new.labels)
      }
    return try PredictionTable(
      pieces, predictor, classNames: (0..<(session.dataset.classCount ?? 0)).map(session.className))
  }
}

extension Session {
  /// Reads examples of another file, in the form that the model takes.
  func read(_ file: URL) throws -> (source: BatchSource, labels: [String]?, ids: [String]?) {
    guard let choice = recipe[.data] else { throw RecipeError("the recipe names no data") }
    let new = try NewExamples(contentsOf: file, like: dataset, of: catalog.dataset(choice.use), choice.with)
    let inputs = dataset.train.areImages ? new.inputs : try transforms.apply(new.inputs)
    if !dataset.train.areImages, try !inputs.isFinite().all() {
      let place = try inputs.isFinite().not().nonzero().select(0).ints()
      let column = dataset.featureNames.map { "'\($0[place[1]])'" } ?? "\(place[1] + 1)"
      throw FileError(
        file.relativePath,
        "has no finite value in column \(column) of row \(place[0]), counted from 0, after the run's transforms; fill it in, or "
          + "train with the transform 'impute'")
    }
    let source = try BatchSource(
      Examples(inputs: inputs), settings: settings, classCount: nil, device: device)
    return (source, new.labels, new.ids)
  }

  func piece(
    of source: BatchSource, file: String, ids: [String]?, truth: [String]?
  ) throws -> PredictionTable.Piece {
    let latents = try evaluator.encode(source).latents
    return PredictionTable.Piece(
      file: file, ids: ids, rows: Array(0..<source.count), truth: truth, latents: latents,
      scores: try evaluator.scores(of: latents))
  }

  func piece(of source: BatchSource) throws -> PredictionTable.Piece {
    let latents = try evaluator.encode(source).latents
    let rows = try source.examples.rowNumbers()
    return PredictionTable.Piece(
      file: "", ids: dataset.ids.map { ids in rows.map { ids[$0] } }, rows: rows,
      truth: try classNames(of: source.examples), latents: latents, scores: try evaluator.scores(of: latents))
  }
}
