import Foundation
import LatentKit
import Studies
import Testing
import Training

/// Two stages: encoder and classifier, then a decoder.
private let twoStages = """
  name: two
  data: {use: mnist, with: {embedded: true, limit: 200, VALIDATION}}
  encoder: {use: two-step, with: {latent: 3, widths: [2, 2, 2], hidden: [8, 8, 8]}}
  decoder: {use: two-step, with: {hidden: [8, 8], widths: [2, 2, 2], output: none}}
  classifier: {use: two-step, with: {hidden: [8, 8, 8]}}
  discriminator: {use: two-step, with: {widths: [2, 2, 2], hidden: [8, 8, 8, 8]}}
  noise: none
  sampler: class-gaussian
  metrics: [accuracy, reconstruction-error]
  stages:
    - name: encoder
      epochs: 2
      batch: 50
      steps: [{train: [encoder, classifier], losses: [{use: kl, weight: 0.001}, cross-entropy]}]
    - name: decoder
      epochs: 2
      batch: 50
      steps:
        - {train: [discriminator], ownBatch: true, losses: [{use: least-squares-critic, with: {on: generated}}]}
        - train: [decoder]
          losses: [feature-reconstruction, {use: adversarial, weight: 0.01}, {use: latent-class, weight: 0.1}]
  """

private final class Notes: StudyObserver {
  var (notes, epochs): ([String], [String]) = ([], [])
  var failures: [String] = []
  func noticed(_ notice: Notice) { notes.append("\(notice)") }
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) { self.epochs.append("\(record.stage) \(record.epoch)") }
  func failed(_ failure: Study.Failure) { failures.append("\(failure.what): \(failure.reason)") }
}

private struct Place {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-stages-\(UUID().uuidString)")

  func write(_ text: String, to name: String) throws -> URL {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  func study(_ file: URL, _ options: ExperimentOptions = ExperimentOptions()) throws -> Study {
    try Study(Experiment(file), catalog: Catalog(plugins), in: url, options: options)
  }
}

/// A record without the times.
private func numbers(_ record: EpochRecord) -> EpochRecord {
  var record = record
  (record.seconds, record.examplesPerSecond) = (0, 0)
  return record
}

private let rows = """
  rows:
    - {row: gamma 0.1, recipe: two.yaml}
    - {row: gamma 0, recipe: two.yaml, set: [losses.latent-class.weight=0]}
    - {row: wide, recipe: two.yaml, set: ['decoder.widths=[3, 2, 2]']}
    - {row: other encoder, recipe: two.yaml, set: [stages.encoder.losses.kl.weight=0.01]}
  """

@Suite struct SharedStagesOfAStudy {
  @Test(arguments: ["validation: 0.1", "validation: 0.0"])
  func rowsThatGoOnFromACommonStageEndWithTheBitsOfRunsOfTheirOwn(validation: String) throws {
    let (together, alone) = (Place(), Place())
    defer { for place in [together, alone] { try? FileManager.default.removeItem(at: place.url) } }
    let notes = Notes()
    var folders: [[RunFolder]] = []
    for (place, observer) in [(together, notes), (alone, Notes())] {
      _ = try place.write(twoStages.replacing("VALIDATION", with: validation), to: "two.yaml")
      var study = try place.study(place.write(rows, to: "table.yaml"))
      if place.url == alone.url { study.stagesFolder = nil }
      try study.run(perClass: nil, observer: observer)
      #expect(observer.failures.isEmpty)
      folders.append(study.cells.flatMap(\.runs).map(\.folder))
    }
    // Two epochs once, and of the row that shares nothing; then those of the decoders. Where reconstructions are measured after
    // the first stage's epochs, another decoder has other numbers, and shares nothing either.
    let own = validation.hasSuffix("0.1") ? 2 : 1
    #expect(notes.epochs.count { $0.hasPrefix("encoder") } == 2 + 2 * own)
    #expect(notes.epochs.count { $0.hasPrefix("decoder") } == 8)
    #expect(notes.notes.count { $0.contains("is trained once") } == own)
    #expect(notes.notes.count { $0.contains("comes from") && $0.contains("gamma 0.1 and the runs") } == 4 - own)
    for (one, other) in zip(folders[0], folders[1]) {
      let (mine, own) = try (Checkpoint.read(one.checkpoint), Checkpoint.read(other.checkpoint))
      #expect(mine.tensors.keys == own.tensors.keys)
      for (name, tensor) in own.tensors {
        #expect(try mine.tensors[name]?.bytes() == tensor.bytes(), "\(name) of \(one.name)")
      }
      #expect(try MetricsLog.read(one.metrics).map(numbers) == MetricsLog.read(other.metrics).map(numbers))
      let (here, there) = try (RunSummary.read(one.summary), RunSummary.read(other.summary))
      #expect(here.testMetrics == there.testMetrics && here.testLosses == there.testLosses)
    }
  }

  /// Rows that differ in their sampler alone are one training.
  @Test func rowsOfOtherSamplersShareAllStages() throws {
    let (together, alone) = (Place(), Place())
    defer { for place in [together, alone] { try? FileManager.default.removeItem(at: place.url) } }
    let notes = Notes()
    var folders: [[RunFolder]] = []
    for (place, observer) in [(together, notes), (alone, Notes())] {
      let unwatched = twoStages.replacing("VALIDATION", with: "validation: 0.0").replacing(
        "noise: none", with: "watch: false")
      _ = try place.write(unwatched, to: "two.yaml")
      let samplers = """
        rows:
          - {row: class Gaussians, recipe: two.yaml}
          - {row: kernels, recipe: two.yaml, set: [sampler=kde]}
          - {row: the prior, recipe: two.yaml, set: [sampler=prior]}
        """
      var study = try place.study(place.write(samplers, to: "table.yaml"))
      if place.url == alone.url { study.stagesFolder = nil }
      try study.run(perClass: 2, observer: observer)
      #expect(observer.failures.isEmpty)
      folders.append(study.cells.flatMap(\.runs).map(\.folder))
    }
    #expect(notes.epochs.count == 4 && notes.notes.count { $0.contains("comes from") } == 3, "\(notes.epochs)")
    for (one, other) in zip(folders[0], folders[1]) {
      let (mine, own) = try (Checkpoint.read(one.checkpoint), Checkpoint.read(other.checkpoint))
      #expect(
        mine.tensors.keys == own.tensors.keys && mine.position.isFinished && mine.position.stage == own.position.stage)
      for (name, tensor) in own.tensors {
        #expect(try mine.tensors[name]?.bytes() == tensor.bytes(), "\(name) of \(one.name)")
      }
      let (here, there) = try (RunSummary.read(one.summary), RunSummary.read(other.summary))
      #expect(here.testMetrics == there.testMetrics && here.testLosses == there.testLosses)
    }
    #expect(Set(folders[0].map(\.name)).count == 3)
  }

  @Test func aStudyThatIsStoppedInACommonStageGoesOnToTheSameBits() throws {
    let (stopped, whole) = (Place(), Place())
    defer { for place in [stopped, whole] { try? FileManager.default.removeItem(at: place.url) } }
    var found: [[String: Data]] = []
    for place in [stopped, whole] {
      _ = try place.write(twoStages.replacing("VALIDATION", with: "validation: 0.0"), to: "two.yaml")
      let study = try place.study(place.write(rows, to: "table.yaml"), ExperimentOptions(only: ["gamma"]))
      if place.url == stopped.url {
        var calls = 0
        let outcome = try study.run(perClass: nil) {
          calls += 1
          return calls > 5
        }
        guard case .interrupted = outcome else {
          Issue.record("the study was not stopped")
          return
        }
      }
      try study.run(perClass: nil)
      let folder = study.cells[1].runs[0].folder
      found.append(try Checkpoint.read(folder.checkpoint).tensors.mapValues { try $0.bytes() })
    }
    #expect(found[0] == found[1])
  }
}

@Suite struct FirstRunsOfAStudy {
  private let judge = """
    {data: {use: mnist, with: {embedded: true}}, encoder: {use: mlp, with: {hidden: [16]}}, decoder: none,
     classifier: linear, noise: none, metrics: [accuracy], stages: [{epochs: 1, losses: [cross-entropy]}]}
    """
  private let table = """
    first: [{run: judge, recipe: judge.yaml, set: [data.limit=300]}]
    metrics: [psnr, {use: class-agreement, with: {classifier: "@judge"}}]
    set: [stages.encoder.epochs=1, stages.decoder.epochs=1]
    seeds: [1, 2]
    rows:
      - {row: a, recipe: two.yaml}
      - {row: b, recipe: two.yaml, set: [data.pad=2]}
      - {row: plain, recipe: two.yaml, set: ["metrics=[accuracy]"]}
    """

  @Test func aJudgeIsTrainedOnceOnTheDataOfTheRowsThatNameIt() throws {
    let place = Place()
    defer { try? FileManager.default.removeItem(at: place.url) }
    _ = try place.write(judge, to: "judge.yaml")
    _ = try place.write(twoStages.replacing("VALIDATION", with: "validation: 0.0"), to: "two.yaml")
    let study = try place.study(place.write(table, to: "table.yaml"))
    // One for each padding, none for the row that names none.
    #expect(study.cells.map(\.first.count) == [1, 1, 0] && study.first.count == 2)
    // By its name a run is known wherever it lies, with the runs that it opens.
    let elsewhere = try Study(
      Experiment(place.url.appendingPathComponent("table.yaml")), catalog: Catalog(plugins),
      in: place.url.appendingPathComponent("elsewhere"))
    #expect(elsewhere.cells.flatMap(\.runs).map(\.folder.name) == study.cells.flatMap(\.runs).map(\.folder.name))
    let notes = Notes()
    guard case .finished(let report) = try study.run(perClass: nil, observer: notes) else {
      Issue.record("the study was stopped")
      return
    }
    #expect(notes.failures.isEmpty, "\(notes.failures)")
    for run in study.first {
      let summary = try RunSummary.read(run.folder.summary)
      #expect(summary.trainingExamples == 300)
    }
    let agreement = report.results.values.filter { $0.measure == "classifier accuracy on originals" }
    #expect(agreement.map(\.cell.row) == ["a", "a", "b", "b"])
    // All seeds of a row are judged by one classifier on one test part.
    #expect(agreement[0].value == agreement[1].value && agreement[2].value == agreement[3].value)
    #expect(report.results.values.count { $0.measure == "psnr" } == 4)
  }

  @Test func regimesOfAWeightAreFoundFromTheRowsOfEachCurve() throws {
    let place = Place()
    defer { try? FileManager.default.removeItem(at: place.url) }
    _ = try place.write(judge, to: "judge.yaml")
    _ = try place.write(twoStages.replacing("VALIDATION", with: "validation: 0.0"), to: "two.yaml")
    let file = try place.write(
      table.replacing("[psnr,", with: "[{use: sharpness, with: {samples: 0}},")
        .replacing(/rows:(.|\n)*/) { _ in
          """
          rows:
            - {row: none, recipe: two.yaml, weight: 0, curve: gamma 0.1, set: [losses.adversarial.weight=0]}
            - {row: much, recipe: two.yaml, weight: 100, curve: gamma 0.1, set: [losses.adversarial.weight=100]}
            - {row: alone, recipe: two.yaml, weight: 0, curve: gamma 0, set: [losses.latent-class.weight=0]}
          """
        }, to: "table.yaml")
    let study = try place.study(file)
    guard case .finished(let report) = try study.run(perClass: nil) else {
      Issue.record("the study was stopped")
      return
    }
    let (found, values) = (report.results.regimes, report.results.values)
    #expect(found.map(\.label) == ["gamma 0.1", "gamma 0"])
    func means(_ measure: String) -> [Double] {
      ["none", "much"].map { row in
        let own = values.filter { $0.cell.row == row && $0.measure == measure }.map(\.value)
        return own.reduce(0, +) / Double(own.count)
      }
    }
    let points = try #require(found[0].regimes).points
    #expect(points.map(\.weight) == [0, 100])
    #expect(zip(points.map(\.agreement), means("class agreement")).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(zip(points.map(\.sharpness), means("sharpness of reconstructions")).allSatisfy { abs($0 - $1) < 1e-9 })
    // A term has one name, whatever the number of its step; totals are of several steps.
    let measures = Set(values.map(\.measure))
    #expect(measures.contains("test/latent-class") && !measures.contains("test/2.latent-class"))
    #expect(measures.isSuperset(of: ["test/1.total", "test/2.total", "gradient norm/decoder, adversarial"]))
    // One weight has no regimes, which is said and refuses nothing.
    #expect(found[1].regimes == nil && found[1].reason.contains("two or more weights"))
    let text = try String(contentsOf: study.folder.appendingPathComponent("results.md"), encoding: .utf8)
    #expect(text.contains("## Regimes of the adversarial weight") && text.contains("| gamma 0.1 | 100.0 |"))
    let csv = try String(contentsOf: study.folder.appendingPathComponent("regimes.csv"), encoding: .utf8)
    #expect(csv.split(whereSeparator: \.isNewline).count == 3)
  }

  @Test func mistakesInFirstRunsAreToldWithTheirPlace() throws {
    let place = Place()
    defer { try? FileManager.default.removeItem(at: place.url) }
    _ = try place.write(judge, to: "judge.yaml")
    _ = try place.write(twoStages.replacing("VALIDATION", with: "validation: 0.0"), to: "two.yaml")
    func message(_ old: String, _ new: String) throws -> String {
      let file = try place.write(table.replacing(old, with: new), to: "table.yaml")
      do { _ = try place.study(file) } catch { return "\(error)" }
      return ""
    }
    #expect(try message("\"@judge\"", "\"@jugde\"").contains("Did you mean 'judge'"))
    #expect(try message("run: judge", "run: 'a judge'").contains("found 'a judge', expected letters"))
    #expect(try message("data.limit=300", "data.limmit=300").contains("first run 'judge'"))
    #expect(try message("metrics: [psnr", "metrics: [3").contains("found 3, expected the name of a metric"))
    #expect(try message("metrics: [psnr", "metrics: [psnrr").contains("psnr"))
  }
}
