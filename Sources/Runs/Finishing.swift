import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Reports
import Training

extension Run {
  /// Measures the trained model on the test part, samples it, and writes the summary, tables, figures and the report.
  ///
  /// A figure that cannot be drawn is reported to the observer as a warning.
  ///
  /// - Parameter perClass: Samples of each class; nil draws none.
  /// - Returns: The measurements, and the files that were written.
  /// - Throws: `RecipeError` if a metric or the sampler fails, `FileError` if a file cannot be written.
  @discardableResult
  public func finish(perClass: Int? = 10) throws -> RunResults {
    let lock = try lock ?? folder.lock()
    defer { withExtendedLifetime(lock) { self.lock = nil } }
    try folder.create()
    let result = try session.evaluate(.test)
    let latents = try session.encode(.train)
    let encoded = try EncodedParts(session, training: latents, test: result)
    try write(encoded)

    var summary = try RunSummary(session, folder: folder, test: result)
    let records = try MetricsLog.read(folder.metrics)
    summary.seconds = records.reduce(0) { $0 + $1.seconds }
    summary.warnings =
      session.remarks + remarks + (summary.testMetrics.compactMap(\.warning) + session.overfitting(in: records))
    var pictures = RunPictures(of: folder, observer: observer)
    try addPictures(of: records, training: latents, test: result.latents, to: &pictures)
    var measured = summary.testMetrics.compactMap { metric in metric.table.map { (name: metric.name, table: $0) } }
    for (name, table) in [("class distances", try encoded.classDistances()), ("confusion", try encoded.confusion())] {
      if let table, !measured.contains(where: { $0.name == name }) { measured.append((name: name, table: table)) }
    }
    let tables = try write(measured, addingPicturesTo: &pictures)
    let samples = try perClass.flatMap { try draw($0, reference: latents, into: &summary, &pictures) }
    let figures = try pictures.write()
    // A table that is no picture is shown as a table.
    let shown = Set(figures.map(\.path))
    if summary.hasFeatures { try folder.note([folder.features]) }
    try summary.writeFeatures(to: folder.features, names: session.dataset.featureNames)
    try summary.report(
      figures: figures, grids: tables.filter { !shown.contains("figures/\($0.picture)") }.map(\.grid),
      recipe: session.recipe, features: session.dataset.featureNames
    ).write(to: folder.report)
    // Last, since a run with a summary counts as finished.
    try summary.write(to: folder.summary)
    let results = RunResults(
      summary: summary, figures: figures.map { folder.url.appendingPathComponent($0.path) }, samples: samples,
      tables: tables.map(\.file))
    observer?.finished(self, with: results)
    return results
  }

  private func write(_ encoded: EncodedParts) throws {
    let isTable = session.dataset.featureNames != nil
    try encoded.writeLatents(to: folder.latents)
    try folder.note([folder.predictions] + (isTable ? [folder.latentTable] : []))
    try encoded.writePredictions(to: folder.predictions)
    if isTable { try encoded.writeLatentTable(to: folder.latentTable) }
  }

  private func addPictures(
    of records: [EpochRecord], training: LatentSet, test: LatentSet, to pictures: inout RunPictures
  ) throws {
    try pictures.add("curves.png", "Loss and metrics over epochs.") { LossCurves(of: records) }
    try pictures.add(
      "latents.png",
      session.composition.model.encoder.latentSize == 2
        ? "Latents." : "Latents in the plane in which the training latents vary most.",
      panels: { try session.latentScatter(training: training, test: test) })
    try pictures.add("reconstructions.png", "Test images and their reconstructions.") {
      try session.reconstructionGrid(of: session.test, count: 20, caption: "Test images and their reconstructions")
    }
    try pictures.add("latent-grid.png", "Decoded points of a regular grid over the test latents.") {
      try session.latentGrid(over: test)
    }
    for kind in ImageStrip.Kind.allCases {
      let caption = "\(kind.title) after some epochs: the same \(kind.origin) in each row"
      try pictures.add("\(kind.rawValue)-by-epoch.png", "\(caption).") {
        try session.strip(of: kind, in: folder, caption: caption)
      }
    }
  }

  /// Writes the tables that metrics returned, and adds those that are matrices to the pictures.
  private func write(
    _ measured: [(name: String, table: MeasuredTable)], addingPicturesTo pictures: inout RunPictures
  ) throws -> [(file: URL, grid: HTMLReport.Grid, picture: String)] {
    let files = folder.tables(measured.map(\.name))
    let stems = files.map { $0.deletingPathExtension().lastPathComponent }
    var written: [(file: URL, grid: HTMLReport.Grid, picture: String)] = []
    for ((name, table), (file, stem)) in zip(measured, zip(files, stems)) {
      let title = "\(name), test part"
      let picture = folder.picture(ofTable: stem, among: stems)
      try folder.note([file])
      try table.write(to: file)
      try pictures.add(picture, "\(title).") { try table.heatMap(title: title) }
      written.append((file, table.grid(title, path: "tables/\(stem).csv"), picture))
    }
    return written
  }

  /// Draws samples for the summary, as a picture or a table.
  ///
  /// - Returns: The table; nil where there is none.
  private func draw(
    _ perClass: Int, reference: LatentSet, into summary: inout RunSummary, _ pictures: inout RunPictures
  ) throws -> URL? {
    // A generator of its own: the same run draws the same samples, whatever was drawn before.
    var generator = try Generator(seed: session.recipe.randomSeed, for: "samples", device: session.device)
    let samples = try session.sample(classes: nil, perClass: perClass, reference: reference, using: &generator)
    summary.sampler = samples.draw.diagnostics
    summary.warnings += samples.draw.warnings
    if session.dataset.featureNames != nil { try folder.note([folder.samples]) }
    let isTable = try session.writeTable(samples, to: folder.samples)
    let sampler = session.recipe[.sampler]?.use ?? ""
    let rows = samples.areOfClasses ? ", a row for each class" : ""
    try pictures.add("samples.png", "Decoded draws of sampler '\(sampler)'\(rows).") {
      let grid = try session.grid(samples, classes: nil, perClass: perClass, caption: "Samples of \(sampler)")
      if let grid, grid.shownCount < grid.imageCount {
        observer?.noticed(
          .note(
            "samples.png shows \(grid.shownCount) of \(grid.imageCount) draws; 'host sample --samples FILE' writes all"
          ))
      }
      return grid
    }
    return isTable ? folder.samples : nil
  }
}

extension RunFolder {
  /// The picture of a metric's table, which may be called like one of the run's own or like another's.
  fileprivate func picture(ofTable stem: String, among stems: [String]) -> String {
    var name = stem
    func isTaken(_ name: String) -> Bool {
      let drawn = FigureFiles(figure("\(name).png"))
      return RunFolder.hasFigure(name) || name != stem && stems.contains(name) || hasForeign(drawn.png)
        || hasForeign(drawn.svg)
    }
    while isTaken(name) { name += "-metric" }
    return "\(name).png"
  }
}

/// The results of a finished run.
public struct RunResults: Sendable {
  /// The numbers: `summary.json`.
  public let summary: RunSummary
  /// The PNG files of the figures.
  public let figures: [URL]
  /// The CSV file of a table model's draws, one in each row; nil for other models, and if none were drawn.
  public let samples: URL?
  /// The CSV files of the tables that metrics returned, in their order.
  public let tables: [URL]
}
