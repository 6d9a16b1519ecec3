import Datasets
import Files
import Foundation
import LatentKit
import Runs
import Testing
import Training

@Suite struct PredictionFiles {
  /// A table of three classes that are easy to tell apart, one of its labels in each third row hidden by the recipe.
  private func table(in folder: URL) throws -> URL {
    let url = folder.appendingPathComponent("cells.csv")
    let rows = (0..<60).map { row in
      let kind = row % 3
      return "\(Double(kind) * 4 + Double(row % 7) / 10),\(Double(row % 5) / 10),\(["b", "a", "c"][kind])"
    }
    try Data((["x,y,label"] + rows).joined(separator: "\n").utf8).write(to: url)
    return url
  }

  private func run(_ changes: [String] = [], in scratch: Scratch) throws -> Run {
    let yaml = """
      data: {use: table, with: {path: \(try table(in: scratch.url).path), validation: 0.2}}
      transforms: [center, scale]
      encoder: {use: mlp, with: {latent: 3, hidden: [16], code: point}}
      classifier: linear
      decoder: none
      prior: standard-normal
      sampler: class-gaussian
      metrics: [accuracy]
      stages:
        - epochs: 20
          batch: 12
          steps: [{train: [encoder, classifier], losses: [cross-entropy], optimizer: {use: adam, with: {learningRate: 0.02}}}]
      """
    var recipe = try Recipe.read(yaml: yaml, file: "cells")
    for change in changes { try recipe.set(change) }
    let run = try Run(recipe, catalog: Catalog(plugins), in: scratch.url.appendingPathComponent("run"))
    try run.train()
    try run.finish(perClass: nil)
    return run
  }

  @Test func everyRowOfTheDataIsPredictedOnceAndAccuracyFollows() throws {
    let scratch = try Scratch()
    let run = try run(in: scratch)
    let rows = try delimitedTexts(in: run.folder.predictions)
    #expect(
      rows[0] == [
        "row", "part", "true", "predicted", "score a", "score b", "score c", "nearest class mean", "distance to it",
      ])
    #expect(Set(rows.dropFirst().map { $0[0] }) == Set((0..<60).map(String.init)) && rows.count == 61)
    // The class of each row is that of the file, whatever part it went to.
    for row in rows.dropFirst() { #expect(row[2] == ["b", "a", "c"][try #require(Int(row[0])) % 3]) }
    let scored = rows.dropFirst().allSatisfy { row in
      let scores = row[4...6].compactMap { Double($0) }
      return ["a", "b", "c"][scores.indices.max { scores[$0] < scores[$1] }!] == row[3]
    }
    #expect(scored)
    let test = rows.filter { $0[1] == "test" }
    let right = 100 * Double(test.count { $0[2] == $0[3] }) / Double(test.count)
    let accuracy = try #require(RunSummary.read(run.folder.summary).testMetrics.first { $0.name == "accuracy" }?.value)
    #expect(abs(right - accuracy) < 1e-9)

    // The confusion matrix again, from the predictions.
    let confusion = try delimitedTexts(in: run.folder.url.appendingPathComponent("tables/confusion.csv"))
    #expect(confusion[0] == ["true class", "a", "b", "c"])
    for line in confusion.dropFirst() {
      for (column, name) in confusion[0].enumerated().dropFirst() {
        #expect(Int(line[column]) == test.count { $0[2] == line[0] && $0[3] == name })
      }
    }
  }

  @Test func latentsOfAllPartsAreWrittenWithTheirRows() throws {
    let scratch = try Scratch()
    let run = try run(in: scratch)
    let (tensors, metadata) = try Safetensors.read(run.folder.latents)
    #expect(metadata["classNames"] == #"["a","b","c"]"#)
    var latents: [Int: [Float]] = [:]
    for part in ["", "validation.", "test."] {
      let rows = try #require(tensors["\(part)rows"]).ints()
      let values = try #require(tensors["\(part)latents"]).floats()
      for (place, row) in rows.enumerated() { latents[row] = Array(values[place * 3..<place * 3 + 3]) }
    }
    #expect(latents.count == 60)
    let lines = try delimitedTexts(in: run.folder.latentTable)
    #expect(lines[0] == ["row", "part", "label", "latent 1", "latent 2", "latent 3"] && lines.count == 61)
    for line in lines.dropFirst() {
      #expect(latents[try #require(Int(line[0]))] == line[3...].compactMap { Float($0) })
    }
  }

  @Test func hiddenLabelsStayHiddenAndTheRuleIsThatOfTheMetric() throws {
    let scratch = try Scratch()
    let run = try run(
      ["data.labelled=9", "metrics=[{use: accuracy, with: {scores: training}}]"], in: scratch)
    let rows = try delimitedTexts(in: run.folder.predictions)
    #expect(rows[0][4...] == ["distance a", "distance b", "distance c", "nearest class mean", "distance to it"])
    #expect(rows.count { $0[1] == "train" && !$0[2].isEmpty } == 9)
    for row in rows.dropFirst() {
      let distances = row[4...6].compactMap { Float($0) }
      let least = try #require(distances.indices.min { distances[$0] < distances[$1] })
      #expect(["a", "b", "c"][least] == row[3] && row[7] == row[3] && Float(row[8]) == distances[least])
    }
  }

  // MARK: Without its data

  private func lines(_ table: PredictionTable) throws -> [String] {
    var lines: [String] = []
    try table.forEachLine { lines.append($0) }
    return lines
  }

  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  @Test(arguments: ["[center, scale]", "[log1p, min-max]", "[{use: impute, with: {method: mean}}, scale]"])
  func aRunIsUsedWhereItsTableIsNot(transforms: String) throws {
    let scratch = try Scratch()
    let folder = try run(["transforms=\(transforms)"], in: scratch).folder
    let file = scratch.url.appendingPathComponent("cells.csv")
    let new = scratch.url.appendingPathComponent("new.csv")
    try FileManager.default.copyItem(at: file, to: new)
    func open(_ listener: Listener, from data: URL? = nil) throws -> Run {
      try Run(
        opening: folder.url, catalog: Catalog(plugins), machine: Machine(dataFolder: data), observer: listener)
    }
    let there = try open(Listener())
    let (predicted, drawn) = (try lines(there.predict([new])), try there.sample(perClass: 2).draw.latents)
    try FileManager.default.removeItem(at: file)

    let listener = Listener()
    let away = try open(listener)
    #expect(listener.notices.contains { "\($0)".contains("the run's data are not here as they were") })
    #expect(try lines(away.predict([new])) == predicted)
    #expect(try away.sample(perClass: 2).draw.latents.bytes() == drawn.bytes())
    for message in [
      refusal { _ = try away.evaluate(.test) }, refusal { _ = try away.predict([]) }, refusal { try away.train() },
      refusal { _ = try away.encode(.train) },
    ] {
      #expect(message.contains("this needs the run's data") && message.contains("cells.csv"))
    }
    // Another table in its place is not taken for it.
    try Data("x,y,label\n1,2,a\n3,4,b\n1,2,a\n3,4,b\n1,2,a\n3,4,b\n1,2,a\n3,4,b\n".utf8).write(to: file)
    let changed = try open(Listener())
    #expect(try lines(changed.predict([new])) == predicted)
    #expect(refusal { _ = try changed.evaluate(.test) }.contains("found data with checksum"))
    // Found by its name in a folder that is named now.
    try FileManager.default.removeItem(at: file)
    let other = scratch.url.appendingPathComponent("moved")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: new, to: other.appendingPathComponent("cells.csv"))
    #expect(try open(Listener(), from: other).evaluate(.test).measurements == there.evaluate(.test).measurements)
  }

  @Test func aDamagedDescriptionOfTheDataIsRefusedOnlyWhereItIsNeeded() throws {
    let scratch = try Scratch()
    let folder = try run(in: scratch).folder
    try Data("{}".utf8).write(to: folder.data)
    #expect(refusal { _ = try Run(opening: folder.url, catalog: Catalog(plugins)) }.isEmpty)
    try FileManager.default.removeItem(at: scratch.url.appendingPathComponent("cells.csv"))
    #expect(refusal { _ = try Run(opening: folder.url, catalog: Catalog(plugins)) }.contains("data.safetensors"))
    // A run of an earlier version has none.
    try FileManager.default.removeItem(at: folder.data)
    #expect(refusal { _ = try Run(opening: folder.url, catalog: Catalog(plugins)) }.contains("cells.csv"))
  }

  @Test func labelsOfOtherClassesCountAsErrors() throws {
    let scratch = try Scratch()
    let run = try run(in: scratch)
    let new = scratch.url.appendingPathComponent("new.csv")
    // Two of class b, one of them with the numbers of a; one of a class that the run does not have; one without a label.
    try Data("x,y,label\n0,0,b\n4,0,b\n8,0,d\n8,0,\n".utf8).write(to: new)
    let found = try run.predict([new])
    let (matrix, count) = try #require(found.agreement)
    #expect(count == 3 && matrix.accuracy == 1.0 / 3 && matrix.balancedAccuracy == 0.25)
    #expect(found.notes.contains { $0.contains("'d'") })
  }

  @Test func aPartThatHasSeenTestRowsIsSaid() throws {
    let scratch = try Scratch()
    let first = try run(in: scratch).folder
    func warnings(_ changes: [String]) throws -> [String] {
      var recipe = try Recipe.read(first.recipe).recipe
      for change in ["encoder={from: \(first.url.path)}"] + changes { try recipe.set(change) }
      let listener = Listener()
      _ = try Session(recipe, catalog: Catalog(plugins), observer: listener)
      return listener.notices.map { "\($0)" }.filter { $0.contains("test examples of this run") }
    }
    #expect(try warnings([]).isEmpty)
    #expect(try warnings(["seed=8", "data.splitFile=\(first.split.path)", "data.validation=0"]).isEmpty)
    let other = try warnings(["seed=8"])
    #expect(
      other.count == 1 && other[0].contains("encoder comes from the run in \(first.url.path), which was trained on "))
    #expect(other[0].contains("of the 15 test examples") && other[0].contains("data.splitFile="))
    // Of a file that was cut short, whole lines count.
    let text = try String(contentsOf: first.split, encoding: .utf8)
    try Data("\(text)7".utf8).write(to: first.split)
    #expect(try warnings(["seed=8"]) == other)
  }

  @Test func reconstructionsHaveTheRowsOfTheData() throws {
    let scratch = try Scratch()
    let run = try run(
      [
        "decoder={use: mlp, with: {hidden: [8]}}", "stages[0].steps[0].losses=[cross-entropy, mse]",
        "stages[0].steps[0].train=[encoder, classifier, decoder]",
      ], in: scratch)
    let file = scratch.url.appendingPathComponent("made.csv")
    #expect(try run.session.writeReconstructions(of: run.session.test, count: 6, to: file))
    let lines = try delimitedTexts(in: file)
    #expect(lines[0] == ["row", "x", "y", "x reconstructed", "y reconstructed", "label"] && lines.count == 7)
    let test = Set(try run.session.test.examples.rows?.ints() ?? [])
    for line in lines.dropFirst() {
      let row = try #require(Int(line[0]))
      #expect(test.contains(row) && line[5] == ["b", "a", "c"][row % 3])
      let x = Double(row % 3) * 4 + Double(row % 7) / 10
      #expect(try abs(#require(Double(line[1])) - x) < 1e-5)
    }
  }
}
