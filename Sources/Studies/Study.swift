import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

/// Runs that are measured together: a recipe with several seeds and folds, or all the rows of an experiment.
///
/// Finished runs are kept and interrupted ones continue, so that a study that was stopped is resumed by running it again.
public struct Study {
  /// The title in tables and reports.
  public let title: String
  /// Remarks for comparing the numbers; may be empty.
  public let about: String
  /// Changes to the experiment's recipes, as `Recipe.set` takes them.
  public var changes: [String] = []
  /// The recipes with their runs.
  public let cells: [Cell]
  /// The measures to compare; empty for all.
  public let measures: [String]
  /// Names of the runs' pictures that are laid side by side: `samples.png`.
  public let figures: [String]
  /// The name of a data set that the runs reconstruct without having seen it.
  public var unseen: String?
  /// How many classes of it, drawn by the first run's seed; nil for all.
  public var unseenClasses: Int?
  /// Selects the cells to run; results show the others as they are.
  public var isWanted: (Cell) -> Bool = { _ in true }
  /// The folder of the results.
  public let folder: URL
  /// The parts that recipes can name.
  public let catalog: Catalog
  /// Runs that the cells' parts open, classifiers by which metrics judge say: they finish before the cells begin.
  public var first: [PlannedRun] = []
  /// Results of earlier runs, which need not be run again; the first that has a run's numbers counts.
  public var earlier: [EarlierResults] = []
  /// The folder of stages that several runs have in common, which are trained once; nil to train each run by itself.
  public var stagesFolder: URL?
  /// The data folder, device and threads.
  public var machine = Machine()
  /// Held as long as the study is in use, where its folder is nobody else's.
  var lock: RunLock?
  /// A sentence for whoever runs it, about files that were kept.
  var remark: String?
  /// Threads of runs of which nothing else says how many: as many as there were when the study was planned.
  private let defaultThreads = Torch.threadCount

  /// The runs of one recipe.
  public struct Cell: Sendable {
    /// The name of the row in a table.
    public let row: String
    /// The name of the column in a table; may be empty.
    public let column: String
    /// The published value of each measure.
    public let published: [String: Double]
    /// One for each seed and fold.
    public let runs: [PlannedRun]
    /// The names of the folders of the runs that these open, which are among `Study.first`.
    public var first: [String] = []
    /// The weight of an adversarial loss, where the study finds the regimes of it; nil for other cells.
    public var weight: Double?
    /// The name of the cells whose regimes are found together, within a column.
    public var curve = ""

    /// The curve and the column: `gamma 0, K_z = 2`.
    var curveLabel: String { [curve, column].filter { !$0.isEmpty }.joined(separator: ", ") }
    /// The row and the column: `CSAE, with linear`.
    public var label: String { [row, column].filter { !$0.isEmpty }.joined(separator: ", ") }
  }

  /// One run of a recipe, finished or not.
  public struct PlannedRun: Sendable {
    /// The resolved recipe, with the run's seed and fold.
    public let recipe: Recipe
    /// The run's folder.
    public let folder: RunFolder
    /// The recipe's seed.
    public let seed: Int
    /// The fold that is held out, counted from 0; nil if the data's own test part is measured.
    public let fold: Int?

    /// The seed and the fold: `seed 1, fold 0`.
    public var label: String { Self.label(seed: "\(seed)", fold: fold.map { "\($0)" }) }

    /// The name by which runs of one seed and fold are pairs.
    static func label(seed: String, fold: String?) -> String { "seed \(seed)" + (fold.map { ", fold \($0)" } ?? "") }
    /// The name and data of a run that is trained before the rows: `first, judge on mnist`.
    public var firstLabel: String { "first, \(recipe.name ?? folder.name) on \(recipe[.data]?.use ?? "")" }
    /// Whether its results are written.
    public var isFinished: Bool { FileManager.default.fileExists(atPath: folder.summary.path) }
    /// Whether its folder holds a run, finished or not.
    public var isBegun: Bool { folder.exists }
  }

  /// A run or a measurement that failed.
  public struct Failure: Sendable {
    /// The run, the cell or the comparison on unseen data.
    public let what: String
    /// The error as a sentence.
    public let reason: String

    init(what: String, _ error: any Error) { (self.what, reason) = (what, "\(error)") }
  }

  /// The end of a study.
  public enum Outcome {
    /// All runs finished or failed.
    case finished(Report)
    /// Stopped on request; the progress of training is saved.
    case interrupted
  }

  /// The results of the finished runs, and the failures.
  public struct Report {
    /// The numbers of the finished runs.
    public internal(set) var results: StudyResults
    /// Failed runs and measurements, in order of occurrence.
    public let failures: [Failure]
    /// Whether every run failed, so that there are no results and none are written.
    public var isEmpty: Bool { results.values.isEmpty && !failures.isEmpty }
  }

  /// Runs all runs that have not finished, then writes the results.
  ///
  /// A run that fails does not end the study: it is among the report's failures. Runs that another program is working on are waited
  /// for at the end, so that programs that are started with the same study share its runs.
  ///
  /// - Parameters:
  ///   - perClass: Samples of each class by every run; nil draws none.
  ///   - observer: Notified of runs, progress, failures and warnings.
  ///   - shouldStop: Called after every iteration; true saves a checkpoint and ends the study early.
  /// - Throws: `RecipeError` if a cell cannot be compared on the unseen data, errors of that data set, and `FileError` if
  ///   the results cannot be written or their folder holds other files.
  @discardableResult
  public func run(
    perClass: Int? = 10, observer: (any StudyObserver)? = nil, shouldStop: @escaping () -> Bool = { false }
  ) throws -> Outcome {
    var failures = Failures(observer)
    if let remark { observer?.noticed(.note(remark)) }
    try StudyResults.requireOwn(folder, figures: figures)
    let unseen = try unseen.map { try catalog.dataset($0).load(from: machine.dataFolder) }
    _ = try unseen.map(chosenClasses)
    guard try finishFirst(perClass: perClass, observer, &failures, shouldStop: shouldStop) else { return .interrupted }
    let shared = SharedStages(self, observer: observer, shouldStop: shouldStop)
    let all = try cells.filter { isWanted($0) && !isKnown($0) }.flatMap { cell in
      try check(cell, unseen, shared, draws: perClass != nil, observer, &failures) ? cell.runs.map { (cell, $0) } : []
    }
    let titled = all.map { cell, run in
      (title: [cell.label, run.label].filter { !$0.isEmpty }.joined(separator: ", "), run: run)
    }
    let isFinished = try work(on: titled, observer, &failures, shouldStop: shouldStop) { index in
      let (cell, run) = all[index]
      let session = try session(of: run.recipe, in: run.folder, observer)
      // Those of another fold may lack a class.
      if perClass != nil, let refusal = session.drawRefusal { throw refusal }
      let one = Run(session, in: run.folder, existing: .resume, observer: observer)
      guard try shared.start(one, of: run.recipe, in: cell) == .finished,
        try one.train(shouldStop: shouldStop) == .finished
      else { return false }
      try one.finish(perClass: perClass)
      return true
    }
    return isFinished ? .finished(try report(failures, observer)) : .interrupted
  }

  /// Finishes runs, one after the other; in the end those that another program was working on, unless it has finished them.
  ///
  /// - Parameter finish: Trains and measures the run at an index; false when stopped on request.
  /// - Returns: False when stopped on request.
  private func work(
    on runs: [(title: String, run: PlannedRun)], _ observer: (any StudyObserver)?, _ failures: inout Failures,
    shouldStop: () -> Bool, _ finish: (Int) throws -> Bool
  ) throws -> Bool {
    var (left, isWaiting) = (Array(runs.indices), false)
    while !left.isEmpty {
      var busy: [Int] = []
      for index in left where !isDone(runs[index].run) {
        guard !runs[index].run.folder.isInUse else {
          busy.append(index)
          continue
        }
        observer?.begins(run: index + 1, of: runs.count, title: runs[index].title)
        do {
          guard try finish(index) else { return false }
        } catch let error as FileError where error.isOfRunInUse {
          busy.append(index)
        } catch {
          failures.add(runs[index].title, error)
        }
        observer?.ended(run: index + 1, of: runs.count)
      }
      if busy == left {
        if shouldStop() { return false }
        if !isWaiting {
          observer?.noticed(
            .note(
              "waiting for \(busy.map { runs[$0].title }.joined(separator: "; ")): another program is working on it"))
        }
        isWaiting = true
        usleep(500_000)
      }
      left = busy
    }
    return true
  }

  /// Returns the session of the run in a folder on the study's machine; of one that goes on, with the threads that it was begun
  /// with, where the study says none.
  func session(of recipe: Recipe, in folder: RunFolder, _ observer: (any StudyObserver)?) throws -> Session {
    var machine = machine
    if machine.threads == nil { machine.threads = defaultThreads }
    machine.keep(folder, device: false, threads: self.machine.threads == nil)
    return try Session(recipe, catalog: catalog, machine: machine, observer: observer)
  }

  /// The runs among `first` that wanted cells open.
  public var wantedFirst: [PlannedRun] {
    let names = Set(cells.filter { isWanted($0) && !isKnown($0) }.flatMap(\.first))
    return first.filter { names.contains($0.folder.name) }
  }

  /// Whether earlier results have all runs of a cell, so that nothing of it is needed here.
  private func isKnown(_ cell: Cell) -> Bool { cell.runs.allSatisfy { earlierValues(of: $0) != nil } }

  /// Finishes the runs that those of the cells open.
  ///
  /// - Returns: False when stopped on request.
  private func finishFirst(
    perClass: Int?, _ observer: (any StudyObserver)?, _ failures: inout Failures, shouldStop: @escaping () -> Bool
  ) throws -> Bool {
    let wanted = wantedFirst
    let titled = wanted.map { (title: $0.firstLabel, run: $0) }
    return try work(on: titled, observer, &failures, shouldStop: shouldStop) { index in
      let run = wanted[index]
      let session = try session(of: run.recipe, in: run.folder, observer)
      let one = Run(session, in: run.folder, existing: .resume, observer: observer)
      guard try one.train(shouldStop: shouldStop) == .finished else { return false }
      try one.finish(perClass: session.composition.model.decoder == nil ? nil : perClass)
      return true
    }
  }

  /// Finds mistakes that would otherwise only show after hours of training.
  ///
  /// - Returns: Whether the cell can be run.
  /// - Throws: `RecipeError` if the cell cannot be compared on the unseen data, which is a mistake in the study.
  private func check(
    _ cell: Cell, _ unseen: Dataset?, _ shared: SharedStages, draws: Bool, _ observer: (any StudyObserver)?,
    _ failures: inout Failures
  ) throws -> Bool {
    let session: Session
    do {
      session = try Session(cell.runs[0].recipe, catalog: catalog, machine: machine, observer: observer)
      if draws, let refusal = session.drawRefusal { throw refusal }
      // Runs on data that have changed since must not be averaged with new ones.
      for run in cell.runs where run.isFinished && session.dataset.digest != nil {
        try Checkpoint.read(run.folder.checkpoint).require(digest: session.dataset.digest, from: run.folder.checkpoint)
      }
    } catch {
      failures.add(cell.label, error)
      return false
    }
    shared.learn(cell, from: session)
    guard let unseen, session.composition.model.decoder != nil else { return true }
    guard unseen.name != session.dataset.name else {
      throw RecipeError(
        "unseen data '\(unseen.name)' are what '\(cell.label)' is trained on; choose a set that no run has seen as 'unseen'"
      )
    }
    try Reconstructor(session, named: cell.label).require(unseen.inputShape, of: unseen.name)
    return true
  }

  /// Writes the results of the finished runs to the study's folder.
  ///
  /// - Returns: The results; finished runs whose files are damaged are left out, and are among the failures.
  /// - Throws: `FileError` if the results cannot be written.
  public func report(observer: (any StudyObserver)? = nil) throws -> Report { try report(Failures(observer), observer) }

  /// Returns the numbers of the finished runs. Nothing is written.
  ///
  /// - Returns: As `report`, without the comparison on unseen data.
  public func finished(observer: (any StudyObserver)? = nil) -> Report {
    var failures = Failures(observer)
    let results = StudyResults(self, &failures)
    return Report(results: results, failures: failures.all)
  }

  private func report(_ earlier: Failures, _ observer: (any StudyObserver)?) throws -> Report {
    var failures = earlier
    var results = StudyResults(self, &failures)
    do { results.unseen = try compareOnUnseen(observer) } catch {
      failures.add("the comparison on \(unseen ?? "")", error)
    }
    var report = Report(results: results, failures: failures.all)
    if !report.isEmpty { try results.write(to: folder) }
    // Who keeps the results keeps nobody out.
    report.results.study.lock = nil
    return report
  }

  /// Compares the first finished run of each cell that has a decoder on the unseen data; nil if the study names none.
  private func compareOnUnseen(_ observer: (any StudyObserver)?) throws -> ReconstructionComparison? {
    guard let unseen else { return nil }
    let runs = try cells.compactMap { cell -> Reconstructor? in
      guard let run = cell.runs.first(where: \.isFinished) else { return nil }
      let session = try Session(opening: run.folder.url, catalog: catalog, machine: machine, observer: observer)
      guard session.composition.model.decoder != nil else { return nil }
      return try Reconstructor(session, named: cell.label)
    }
    guard let first = runs.first else { return nil }
    let dataset = try first.session.dataset(named: unseen, observer: observer)
    let images = try UnseenImages(dataset, classes: chosenClasses(of: dataset))
    return try ReconstructionComparison(of: runs, on: images, count: 20)
  }

  /// Returns the classes of the unseen data that are reconstructed, in their order; nil for all.
  ///
  /// They follow from the seed of the study's first run alone, whatever has been run.
  /// - Throws: `RecipeError` for more classes than there are.
  private func chosenClasses(of unseen: Dataset) throws -> [Int]? {
    guard let unseenClasses else { return nil }
    let count = unseen.classCount ?? 0
    guard unseenClasses <= count else {
      throw RecipeError(
        "unseenClasses is \(unseenClasses), and \(unseen.name) has \(count) classes; lower it, or leave it out to take all"
      )
    }
    var generator = try Generator(seed: cells[0].runs[0].recipe.randomSeed, for: "classes of unseen data")
    return try generator.permutation(count).ints().prefix(unseenClasses).sorted()
  }
}

/// Failures of a study, each reported to its observer at once.
struct Failures {
  private(set) var all: [Study.Failure] = []
  private let observer: (any StudyObserver)?

  init(_ observer: (any StudyObserver)?) { self.observer = observer }

  mutating func add(_ what: String, _ error: any Error) {
    let failure = Study.Failure(what: what, error)
    all.append(failure)
    observer?.failed(failure)
  }
}
