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
}
