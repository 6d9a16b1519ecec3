import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import Datasets
@testable import HostKit

/// 60 samples of two classes far apart, in units of thousands; a feature's name needs quotes.
private func writeTable(_ url: URL, changing change: (Int, Double) -> Double = { $1 }) throws {
  let lines = (0..<60).map { row in
    let values = (0..<3).map { column in
      change(row, 1000 * Double(row % 2) + 50 * sin(Double(row * (column + 2))) + 10)
    }
    return (values.map { "\($0)" } + [row % 2 == 0 ? "even" : "odd"]).joined(separator: ";")
  }
  try (["\"a;1\";b;c;label"] + lines).joined(separator: "\r\n").write(to: url, atomically: true, encoding: .utf8)
}

private let transforms = ["log1p", "center", "scale"].flatMap { ["--transform", $0] }

private func session(_ table: URL, _ more: [String] = []) throws -> Session {
  let command = try HostCommand.parseAsRoot(
    ["compose", "--encoder", "mlp", "--data", "table", "--set", "data.path=\(table.path)"] + more + transforms)
  let compose = try #require(command as? Compose)
  let catalog = try Catalog(plugins)
  return try Session(compose.parts.resolved(with: Composer(catalog)), catalog: catalog)
}

@Suite struct TableRuns {
  @Test func transformsAreFittedOnTheTrainingPartAlone() throws {
    let scratch = try Scratch()
    let table = scratch.url.appendingPathComponent("t.csv")
    try writeTable(table)
    let before = try session(table)
    let held = Set(try heldRows(table))
    #expect(held.count == 15 + 5)
    // What is held out becomes something else altogether: nothing that was learned may change.
    try writeTable(table) { row, value in held.contains(row) ? value * -77 + 1e6 : value }
    let after = try session(table)
    #expect(try before.training.examples.inputs.bytes() == after.training.examples.inputs.bytes())
    #expect(try before.test.examples.inputs.bytes() != after.test.examples.inputs.bytes())
    for (one, other) in zip(before.transforms.links, after.transforms.links) {
      #expect(one.name == other.name)
      for (name, values) in one.transform.parameters {
        #expect(try values.bytes() == other.transform.parameters[name]?.bytes(), "\(one.name) \(name)")
      }
    }
    // And the check can fail: a training row does change them.
    let kept = try #require((0..<60).first { !held.contains($0) })
    try writeTable(table) { row, value in row == kept ? value * -77 + 1e6 : value }
    let touched = try session(table)
    let mean = touched.transforms.links[1].transform.parameters["mean"]
    #expect(try mean?.bytes() != before.transforms.links[1].transform.parameters["mean"]?.bytes())
  }

  /// The rows of the validation and test parts, found by their values.
  private func heldRows(_ table: URL) throws -> [Int] {
    var settings = DataSettings()
    settings.path = table.path
    let whole = try DatasetLibrary.load("table", settings: settings)
    let parts = try whole.prepared(settings, seed: 0)
    let all = try whole.train.inputs.floats()
    return try [parts.validation, parts.test].compactMap { $0 }.flatMap { part in
      let values = try part.inputs.floats()
      return stride(from: 0, to: values.count, by: 3).compactMap { start in
        (0..<60).first { Array(all[$0 * 3..<$0 * 3 + 3]) == Array(values[start..<start + 3]) }
      }
    }
  }

  @Test func aRunOnATableWritesItsSamplesInTheTablesUnits() throws {
    let scratch = try Scratch()
    let table = scratch.url.appendingPathComponent("t.csv")
    try writeTable(table)
    try host(
      [
        "compose", "--encoder", "mlp", "--decoder", "mlp", "--data", "table", "--set", "data.path=\(table.path)",
        "--set",
        "encoder.latent=2", "--loss", "mse", "--set", "decoder.output=none", "--set", "encoder.hidden=[16]", "--set",
        "decoder.hidden=[16]", "--sampler", "mh",
        "--epochs",
        "60", "--batch", "8", "--set", "optimizer.learningRate=0.01", "--per-class", "3", "--runs", scratch.url.path,
        "--name",
        "t",
      ] + transforms)
    let run = RunFolder(scratch.url.appendingPathComponent("t"))
    let recipe = try String(contentsOf: run.recipe, encoding: .utf8)
    #expect(recipe.contains("transforms: [{use: log1p, with: {fidelity: signed}}, center, scale]"))
    #expect(!recipe.contains("pad:"))

    func rows(_ url: URL) throws -> DataTable {
      var format = TableFormat()
      format.label = .name("label")
      return try DataTable(contentsOf: url, format)
    }
    let drawn = try rows(run.samples)
    #expect(drawn.featureNames == ["a;1", "b", "c"])
    #expect(drawn.labels == ["even", "even", "even", "odd", "odd", "odd"])
    // In thousands, not in standard deviations; and each class where its samples are.
    let (even, odd) = (try drawn.inputs.slice(0..<3).mean().item(), try drawn.inputs.slice(3..<6).mean().item())
    #expect(abs(even) < 300 && (600...1400).contains(odd), "\(even), \(odd)")

    let other = scratch.url.appendingPathComponent("x.csv")
    try host(["sample", run.url.path, "--classes", "1", "--per-class", "4", "--output", other.path])
    #expect(try rows(other).labels == ["odd", "odd", "odd", "odd"])
    // The same draws for scanpy.
    let cells = scratch.url.appendingPathComponent("x.h5ad")
    try host(["sample", run.url.path, "--classes", "1", "--per-class", "4", "--output", cells.path])
    let (text, binary) = (try rows(other), try rows(cells))
    #expect(binary.labels == text.labels && binary.featureNames == text.featureNames)
    #expect(try binary.inputs.floats() == text.inputs.floats())
    try host(["sample", run.url.path, "--per-class", "2", "--output", other.path, "--samples", cells.path])
    #expect(try rows(cells).labels == ["even", "even", "odd", "odd"])
    try host(["reconstruct", run.url.path, "--count", "6", "--output", other.path])
    let made = try rows(other)
    #expect(made.featureNames == ["row", "a;1", "b", "c", "a;1 reconstructed", "b reconstructed", "c reconstructed"])
    #expect(made.inputs.shape == [6, 7])
  }

  @Test func rowsWhoseLabelIsHiddenAreReconstructedWithoutAClass() throws {
    let scratch = try Scratch()
    let table = scratch.url.appendingPathComponent("t.csv")
    try writeTable(table)
    try host(
      ["train", "--encoder", "mlp", "--decoder", "mlp", "--loss", "mse", "--data", "table", "--epochs", "1"]
        + ["--set", "data.path=\(table.path)", "--set", "data.labelled=4", "--runs", scratch.url.path, "--name", "t"]
        + transforms)
    let made = scratch.url.appendingPathComponent("made.csv")
    try host(["reconstruct", "\(scratch.url.path)/t", "--part", "train", "--count", "1000", "--output", made.path])
    let lines = try String(contentsOf: made, encoding: .utf8).split(whereSeparator: \.isNewline).dropFirst()
    let classes = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).last ?? "" }
    #expect(lines.count > 10 && classes.count { ["even", "odd"].contains($0) } == 4)
    #expect(classes.count { $0.isEmpty } == lines.count - 4)
  }

  @Test func aRunOnATableThatHasChangedIsNotOpenedAndItsRecipeCanBeComposedAnew() throws {
    let scratch = try Scratch()
    let table = scratch.url.appendingPathComponent("t.csv")
    try writeTable(table)
    let run = scratch.url.appendingPathComponent("t").path
    try host(
      ["train", "--encoder", "mlp", "--data", "table", "--set", "data.path=\(table.path)", "--epochs", "1"]
        + ["--runs", scratch.url.path, "--name", "t"] + transforms)
    let resume = ["train", "--resume", "--name", "t", "--runs", scratch.url.path]
    try host(["evaluate", run])
    // Its own rows, by name or without.
    let own = try host("verify", run, "--part", "test", "--enrol", "1").output
    #expect(try host("verify", run, "--data", "table", "--enrol", "1").output == own)
    try host(resume)
    let old = try Data(contentsOf: table)
    try writeTable(table) { row, value in row == 7 ? value + 1 : value }
    for command in [["evaluate", run], resume] {
      let expected =
        "expected \(try Checksum(.md5, of: old).digits) as when the run was trained; put the old files back"
      #expect(message(command).contains(expected), "\(command)")
    }
    // Its recipe keeps no checksum.
    try host(["train", "\(run)/recipe.yaml", "--runs", scratch.url.path, "--name", "u"])
    try host(["evaluate", scratch.url.appendingPathComponent("u").path])
    try old.write(to: table)
    try host(["evaluate", run])
  }

  @Test func transformsOfImagesAreRefused() throws {
    #expect(throws: RecipeError.self) {
      try host(["compose", "--encoder", "mlp", "--transform", "center", "--dry-run"])
    }
  }
}
