import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Statistics
import Training

/// What a run predicts of some examples, a line for each.
public struct PredictionTable {
  /// The columns, each with a cell for each example.
  public let columns: [Predictions.Column]
  /// What predicts, in words: `the highest score`; nil for data without classes.
  public let title: String?
  /// Sentences on what a person should know of the labels.
  public let notes: [String]
  /// The classes in their order; empty for data without classes.
  private let classNames: [String]
  /// The latents, `[count, latent]`, on the CPU.
  private let latents: Tensor
  /// The rows of a table in its own units, `[count, features]`, and the names of its columns; nil for images.
  private let inputs: (rows: Tensor, names: [String])?

  /// One file's examples.
  struct Piece {
    let file: String
    let ids: [String]?
    let rows: [Int]
    let truth: [String]?
    let latents: Tensor
    let scores: Tensor?
    let inputs: Tensor?
  }

  init(_ pieces: [Piece], _ predictor: Predictor, classNames: [String], featureNames: [String]?) throws {
    let predictions = try pieces.map { try predictor.predict($0.latents, scores: $0.scores) }
    func joined(_ name: String, _ cells: (Piece) -> [String]?) -> [Predictions.Column] {
      guard pieces.contains(where: { cells($0) != nil }) else { return [] }
      return [.init(name, texts: pieces.flatMap { cells($0) ?? $0.rows.map { _ in "" } })]
    }
    var columns: [Predictions.Column] = []
    if pieces.count > 1 { columns += joined("file") { piece in piece.rows.map { _ in piece.file } } }
    columns += joined("id", \.ids)
    columns += joined("row") { $0.rows.map(String.init) }
    columns += joined("true", \.truth)
    if predictor.title != nil {
      columns.append(.init("predicted", texts: predictions.flatMap { ($0.classes ?? []).map(predictor.name) }))
    }
    for (place, column) in (predictions.first?.columns ?? []).enumerated() {
      columns.append(column.appending(predictions.dropFirst().map { $0.columns[place] }))
    }
    (self.columns, self.classNames, title) = (columns, classNames, predictor.title)
    latents = try .concatenate(predictions.map(\.latents)).to(.cpu).contiguous()
    let rows = pieces.compactMap(\.inputs)
    inputs = try featureNames.flatMap { rows.count == pieces.count ? (try .concatenate(rows).to(.cpu), $0) : nil }
    let strange = Set(pieces.flatMap { $0.truth ?? [] }).subtracting(classNames).subtracting([""])
    let names = strange.sorted().map { "'\($0)'" }.listed(atMost: 5)
    notes =
      strange.isEmpty || title == nil ? [] : ["no class of the run is called \(names); these labels count as errors"]
  }

  private func column(_ name: String) -> [String]? { columns.first { $0.name == name }?.cells }

  /// How the predicted classes agree with the labels of the examples that have one; nil without labels. Labels that are no class
  /// of the run are classes that are never predicted.
  public var agreement: (matrix: ConfusionMatrix, count: Int)? {
    guard let truth = column("true"), let predicted = column("predicted") else { return nil }
    let known = truth.indices.filter { !truth[$0].isEmpty }
    guard !known.isEmpty else { return nil }
    let strange = Set(known.map { truth[$0] }).subtracting(classNames).sorted()
    let matrix = ConfusionMatrix(
      truth: known.map { truth[$0] }, predicted: known.map { predicted[$0] }, classes: classNames + strange)
    return (matrix, known.count)
  }

  /// Calls `body` with each line of comma-separated values, its end included.
  public func forEachLine(_ body: (String) throws -> Void) throws {
    let width = try latents.size(1)
    let values = try latents.floats()
    try body(CSV.row(columns.map(\.name) + (0..<width).map { "latent \($0 + 1)" }))
    for row in try 0..<latents.size(0) {
      let latent = values[row * width..<(row + 1) * width].map { "\($0)" }
      try body(CSV.row(columns.map { $0.cells[row] } + latent))
    }
  }

  /// Writes the table: comma-separated values, or AnnData for a name that ends in `.h5ad`, where X has the rows of a table in their own
  /// units, or the latents, `obs` the columns and `obsm` the latents.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws {
    guard url.pathExtension.lowercased() == "h5ad" else {
      return try AtomicFile.write(to: url) { append in try forEachLine { try append(Data($0.utf8)) } }
    }
    let names = try inputs?.names ?? (1...latents.size(1)).map { "latent \($0)" }
    let known = Set(classNames)
    try AnnData(
      rows: inputs?.rows ?? latents, featureNames: names, ids: column("id"),
      columns: columns.filter { $0.name != "id" }.map { column in
        if let numbers = column.numbers { return (column.name, .numbers(numbers)) }
        let isOfClasses = ["true", "predicted", "nearest class mean"].contains(column.name)
        return (
          column.name,
          isOfClasses && known.isSuperset(of: column.cells)
            ? .categories(column.cells, of: classNames) : .texts(column.cells)
        )
      }, embeddings: [("X_latent", latents)]
    ).write(to: url)
  }
}

extension Run {
  /// Predicts the classes of examples of some files, or of a part of the run's own data.
  ///
  /// - Parameters:
  ///   - files: Tables or pictures, which go through the run's own transforms; none for its own data.
  ///   - part: The part of its own data.
  ///   - settings: How files are read where it is not as the run's own: `data.decimal=comma`.
  /// - Throws: `FileError` where a file has no examples like the run's, `RecipeError` if the part is missing or the model has
  ///   nothing to predict with.
  public func predict(_ files: [URL], part: DataPart = .test, setting settings: [String] = []) throws -> PredictionTable
  {
    let predictor = try Predictor(session, training: reference())
    let pieces =
      files.isEmpty
      ? [try session.piece(of: session.part(part))]
      : try files.map { file in
        let new = try session.read(file, settings)
        return try session.piece(
          of: new.source, file: file.relativePath, ids: new.ids, truth: new.labels, inputs: new.rows)
      }
    return try PredictionTable(
      pieces, predictor, classNames: (0..<(session.dataset.classCount ?? 0)).map(session.className),
      featureNames: session.dataset.featureNames)
  }
}

extension Session {
  /// Reads examples of another file, in the form that the model takes.
  func read(_ file: URL, _ settings: [String]) throws -> (
    source: BatchSource, labels: [String]?, ids: [String]?, rows: Tensor?
  ) {
    var recipe = recipe
    // That of the run has the labels of its own rows.
    recipe[.data]?.with["labelFile"] = nil
    for setting in settings { try recipe.set(setting) }
    guard let choice = recipe[.data] else { throw RecipeError("the recipe names no data") }
    let new = try NewExamples(contentsOf: file, like: dataset, of: catalog.dataset(choice.use), choice.with)
    let inputs = dataset.train.areImages ? new.inputs : try transforms.apply(new.inputs)
    if !dataset.train.areImages, let place = try dataset.placeNotFinite(in: inputs) {
      throw FileError(
        file.relativePath,
        "has no finite value in column \(place.column) of row \(place.row), counted from 0, after the run's transforms; fill it in, or "
          + "train with the transform 'impute'")
    }
    let source = try BatchSource(
      Examples(inputs: inputs), settings: self.settings, classCount: nil, device: device)
    return (source, new.labels, new.ids, dataset.train.areImages ? nil : new.inputs)
  }

  func piece(
    of source: BatchSource, file: String, ids: [String]?, truth: [String]?, inputs: Tensor?
  ) throws -> PredictionTable.Piece {
    let latents = try evaluator.encode(source).latents
    return PredictionTable.Piece(
      file: file, ids: ids, rows: Array(0..<source.count), truth: truth, latents: latents,
      scores: try evaluator.scores(of: latents), inputs: inputs)
  }

  func piece(of source: BatchSource) throws -> PredictionTable.Piece {
    let latents = try evaluator.encode(source).latents
    let rows = try source.examples.rowNumbers()
    return PredictionTable.Piece(
      file: "", ids: dataset.ids.map { ids in rows.map { ids[$0] } }, rows: rows,
      truth: try classNames(of: source.examples), latents: latents, scores: try evaluator.scores(of: latents),
      inputs: dataset.train.areImages ? nil : try transforms.invert(source.examples.inputs))
  }
}
