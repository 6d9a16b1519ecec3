import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

/// Stages that runs of a study have in common: each is trained once, in a folder of its own, and all runs go on from there with the
/// bits that they would have had by themselves.
final class SharedStages {
  private let study: Study
  private let observer: (any StudyObserver)?
  private let shouldStop: () -> Bool
  /// How many runs of the study agree on some first stages, by `FirstStages.key`.
  private var counts: [String: Int] = [:]
  /// The first stages that the runs of a cell may share, the most first, by the cell's label.
  private var known: [String: [FirstStages]] = [:]

  init(_ study: Study, observer: (any StudyObserver)?, shouldStop: @escaping () -> Bool) {
    (self.study, self.observer, self.shouldStop) = (study, observer, shouldStop)
    guard study.stagesFolder != nil else { return }
    for recipe in study.cells.flatMap(\.runs).map(\.recipe) {
      for key in SharedStages.keys(of: recipe).values { counts[key, default: 0] += 1 }
    }
  }

  private static func keys(of recipe: Recipe) -> [Int: String] {
    (recipe.stages ?? []).indices.reduce(into: [:]) { $0[$1 + 1] = FirstStages.key(of: recipe, count: $1 + 1) }
  }

  /// Finds out what the stages of a cell's recipe use, where other runs have them too.
  func learn(_ cell: Study.Cell, from session: Session) {
    var runs = 1
    // Fewer stages are worth a folder of their own where more runs share them.
    known[cell.label] = SharedStages.keys(of: cell.runs[0].recipe).sorted { $0.key > $1.key }.compactMap { count, key in
      guard counts[key, default: 0] > runs else { return nil }
      runs = counts[key, default: 0]
      return FirstStages(count, of: session)
    }
  }

  /// Lets a run that has not begun start from stages that others have too, trained here if need be.
  ///
  /// - Returns: Whether this was stopped on request.
  func start(_ run: Run, of recipe: Recipe, in cell: Study.Cell) throws -> TrainingOutcome {
    try start(run, of: recipe, in: cell, fewerThan: .max)
  }

  private func start(_ run: Run, of recipe: Recipe, in cell: Study.Cell, fewerThan limit: Int) throws -> TrainingOutcome
  {
    guard let parent = study.stagesFolder, !FileManager.default.fileExists(atPath: run.folder.checkpoint.path),
      let stages = known[cell.label]?.first(where: { $0.count < limit })
    else { return .finished }
    var first = stages.recipe(of: recipe)
    let names = (first.stages ?? []).map { "'\($0.name)'" }.joined(separator: ", ")
    first.name = "shared-stages"
    first.about = "Stage \(names) of \(study.title), trained for \(cell.label) and the runs that have it in common"
    let folder = try RunFolder(named: first.folderName(), in: parent)
    do {
      if !SharedStages.isFinished(folder) {
        observer?.noticed(.note("stage \(names) is trained once for the runs that have it in common"))
        let session = try study.session(of: first, in: folder, observer)
        // The run itself keeps its own threads.
        defer { try? run.session.machine.apply() }
        let one = Run(session, in: folder, existing: .resume, observer: observer)
        guard try start(one, of: first, in: cell, fewerThan: stages.count) == .finished,
          try one.train(shouldStop: shouldStop) == .finished
        else { return .interrupted }
      }
      let about = try Recipe.read(folder.recipe).recipe.about
      observer?.noticed(.note("stage \(names) comes from \(folder.url.relativePath)" + (about.map { ": \($0)" } ?? "")))
      try run.start(afterStagesOf: folder)
    } catch let error as FileError {
      // Another program may be training them. Alone the run has the same bits.
      observer?.noticed(.note("stage \(names) is trained for this run alone: \(error)"))
    }
    return .finished
  }

  private static func isFinished(_ folder: RunFolder) -> Bool {
    (try? Checkpoint.read(folder.checkpoint))?.position.isFinished ?? false
  }
}
