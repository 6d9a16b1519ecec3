import ArgumentParser
import Figures
import Foundation
import LatentKit
import Recipes
import Runs
import Studies
import Training

/// Prints what happens in runs and studies.
final class ConsoleObserver: StudyObserver {
  private let console: Console
  private let progress: ConsoleProgress
  private var reasons: Set<String> = []

  init(_ console: Console) {
    self.console = console
    progress = ConsoleProgress(isTerminal: console.isTerminal, write: console.output)
  }

  func progressed(_ progress: TrainingProgress) { self.progress.progressed(progress) }
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) { progress.finishedEpoch(record, of: epochs) }
  func note(_ sentence: String) { progress.note(sentence) }

  func noticed(_ notice: Notice) { console.warn("\(notice)") }
  func failed(_ failure: Study.Failure) {
    // One cause may fail many runs.
    if reasons.insert(failure.reason).inserted { console.warn("error: \(failure.reason)") }
  }
  func begins(run number: Int, of count: Int, title: String) { console.say("== run \(number) of \(count): \(title)") }
  func ended(run number: Int, of count: Int) { console.say() }

  func began(_ run: Run) {
    let (session, recipe) = (run.session, run.session.recipe)
    let parts = Slot.all.filter { $0.isSingle && $0 != .data }.compactMap { slot in
      recipe[slot].map { "\(slot.name) \($0.use)" }
    }
    console.say("recipe   " + parts.joined(separator: ", "))
    for stage in session.composition.stages {
      let stop = stage.recipe.stop
      let epochs =
        (stop == nil ? "" : "at most ") + counted(stage.recipe.epochs, "epoch")
        + (stop.map { " (until '\($0.metric)' has not improved for \($0.patience))" } ?? "")
      for (step, runs) in zip(stage.steps, stage.runs) {
        let losses = step.losses.map { $0.weight == 1 ? $0.name : "\(number($0.weight)) \($0.name)" }
        var place = stage.recipe.name
        if stage.steps.count > 1 { place += ", \(step.recipe.train.joined(separator: " + "))" }
        if runs > 1 { place += " \(runs) times" }
        let after = step.recipe.after.compactMap { action in
          if case .project(let constraint, _, _) = action { ", \(constraint.use) after each step" } else { nil }
        }
        console.say(
          "stage    \(place): \(epochs), batch \(stage.recipe.batch), \(step.recipe.optimizer?.use ?? ""), loss \(losses.joined(separator: " + "))\(after.joined())"
        )
      }
    }
    let known = session.labelledCount.map { " (\($0) with a label)" } ?? ""
    let held = session.validation.map { " + \($0.count) validation" } ?? ""
    console.say(
      "data     \(session.dataset.name): \(session.training.count) training\(known)\(held) + \(session.test.count) test examples; \(session.dataset.origin.description)"
    )
    func first(_ count: Int, of names: [String]) -> String {
      names.prefix(count).joined(separator: ", ") + (names.count > count ? ", …" : "")
    }
    let classes =
      session.dataset.classNames.map { ", \(counted($0.count, "class", "classes")): \(first(20, of: $0))" } ?? ""
    if session.dataset.train.areImages {
      let shape = session.dataset.inputShape
      let padding = session.settings.pad > 0 ? " padded by \(session.settings.pad)" : ""
      console.say("images   \(shape[1])x\(shape[2]) \(shape[0] == 1 ? "grey" : "colour")\(padding)\(classes)")
    }
    if let names = session.dataset.featureNames {
      console.say("table    \(counted(names.count, "feature")), \(first(3, of: names))\(classes)")
    }
    console.say(
      "model    \(counted(session.weightCount, "weight")) on \(session.device), \(counted(Torch.threadCount, "thread")), seed \(recipe.seed)"
    )
    console.say("folder   \(run.folder.url.relativePath)")
    console.say()
  }

  func finished(_ run: Run, with results: RunResults) {
    let summary = results.summary
    if let samples = results.samples { console.say("samples  \(samples.relativePath)") }
    console.say()
    if let stop = run.session.recipe.stop(ofLastStageIn: summary.stops) { console.say("measured \(stop.weightsText)") }
    for metric in summary.testMetrics where metric.table == nil || metric.value != nil {
      console.say("test     \(metric.name) \(metric.text)")
    }
    let losses = summary.testLosses.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }
    console.say("         \(losses.joined(separator: "  "))")
    if let sparse = summary.stages?.last {
      let zeros = sparse.layers.map { String(format: "%@ %.1f %%", $0.name, 100 * $0.zeros) }
      console.say("zeros    " + zeros.joined(separator: ", "))
    }
    if !summary.sampler.isEmpty {
      console.say("sampler  " + summary.sampler.map { "\($0.name) \($0.text)" }.joined(separator: ", "))
    }
    // Those on what the run builds on were said before it was trained.
    for warning in summary.warnings where !run.session.remarks.contains(warning) {
      console.warn("warning: \(warning)")
    }
    for table in results.tables { console.say("table    \(table.relativePath)") }
    for figure in results.figures { console.say("picture  \(figure.relativePath)") }
    console.say("report   \(run.folder.report.relativePath)")
  }
}

extension Host {
  /// Runs a study and prints its results.
  ///
  /// - Parameter wayOn: What to type to go on after an interruption.
  /// - Throws: `ExitCode` of 128 and the signal's number when the user stopped it, with everything saved; `ExitCode.failure` where something failed, with
  ///   all else reported.
  func run(_ study: Study, perClass: Int?, wayOn: String) throws {
    let observer = ConsoleObserver(console)
    let outcome = try interruptible { try study.run(perClass: perClass, observer: observer, shouldStop: $0) }
    switch outcome {
    case .interrupted: throw stopped(wayOn: wayOn)
    case .finished(let report): try show(report)
    }
  }

  /// Prints the results of a study.
  ///
  /// - Throws: `ExitCode.failure` where something failed, or a finished run's files are damaged.
  func show(_ report: Study.Report) throws {
    // Why has been said.
    if report.isEmpty { throw ExitCode.failure }
    let (results, failures) = (report.results, report.failures)
    console.say(results.study.title)
    if !results.study.changes.isEmpty { console.say(results.changesText) }
    for line in aligned(results.table, numbersFrom: 2) { console.say(line) }
    if let unseen = results.unseen {
      console.say(ReconstructionComparison.unit)
      for line in aligned(unseen.table) { console.say("  \(line)") }
      for note in unseen.notes { console.say("note: \(note)") }
    }
    for name in results.unknown { console.warn("warning: \(name)") }
    console.say("results  \(results.study.folder.relativePath)/results.md")
    console.say("report   \(results.study.folder.relativePath)/report.html")
    for (index, failure) in failures.enumerated()
    where !failures[..<index].contains(where: { $0.reason == failure.reason }) {
      let others = failures[index...].count { $0.reason == failure.reason } - 1
      console.warn("failed: \(failure.what)" + (others > 0 ? ", and \(others) more" : "") + ": \(failure.reason)")
    }
    if !failures.isEmpty { throw ExitCode.failure }
  }

  /// Says before training that the run will lack figures.
  func warnAboutFigures() {
    if let missing = FigurePrograms.missing { console.warn("warning: \(missing); this run will have few pictures") }
  }

  /// Says how to go on with what was interrupted.
  func stopped(wayOn: String) -> ExitCode {
    console.say("stopped; everything is saved. Go on with: \(wayOn)")
    return ExitCode(128 + (Interrupt.signal ?? SIGINT))
  }
}

/// Runs `body` while Ctrl-C asks it to stop instead of ending the program.
func interruptible<Result>(_ body: (@escaping () -> Bool) throws -> Result) rethrows -> Result {
  Interrupt.listen()
  defer { Interrupt.stopListening() }
  return try body { Interrupt.isRequested }
}
