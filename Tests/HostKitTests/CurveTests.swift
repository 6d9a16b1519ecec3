import Figures
import Foundation
import LatentKit
import Studies
import Testing
import Training

@testable import HostKit

@Suite struct Curves {
  /// Two runs of one recipe and one of another on a few embedded images, each with a probe.
  private func train(in scratch: Scratch, _ name: String, latent: Int, seed: Int) throws -> String {
    try host(
      "train", "--encoder", "mlp", "--decoder", "mlp", "--prior", "standard-normal", "--loss", "bernoulli", "--loss",
      "kl",
      "--set", "encoder.latent=\(latent)", "--set", "encoder.hidden=[16]", "--set", "decoder.hidden=[16]", "--set",
      "data.limit=200", "--set", "data.embedded=true", "--metric", "probe", "--set", "metrics.probe.labels=[20, 100]",
      "--epochs", "1", "--seed", "\(seed)", "--runs", scratch.path, "--name", name)
    return scratch.url.appendingPathComponent(name).path
  }

  @Test(.enabled(if: FigurePrograms.missing == nil)) func runsOfOneRecipeAreOneCurve() throws {
    let scratch = try Scratch()
    let paths = [
      try train(in: scratch, "a", latent: 2, seed: 1), try train(in: scratch, "b", latent: 2, seed: 2),
      try train(in: scratch, "c", latent: 4, seed: 1),
    ]
    let output = scratch.url.appendingPathComponent("curve").path
    let printed = try host(["curve"] + paths + ["--output", output, "--title", "Two sizes"]).output
    #expect(printed.contains("a  20: ") && printed.contains("c  20: ") && !printed.contains("b  20: "))
    let markdown = try scratch.read("curve.md")
    #expect(markdown.hasPrefix("# Two sizes\n\n| labels | 20 | 100 |\n") && markdown.contains("## Less a"))
    let rows = try scratch.read("curve.csv").split(separator: "\r\n")
    #expect(rows.count == 5 && rows[1].hasPrefix("a,20,2,") && rows[3].hasPrefix("c,20,1,") && rows[3].contains(",a,"))
    #expect(try scratch.read("curve.svg").contains("<svg"))
    #expect(try Picture(contentsOf: scratch.url.appendingPathComponent("curve.png")).width > 100)
    #expect(!(try host(["curve"] + paths + ["--output", output, "--only", "a,"]).output.contains("c  20: ")))
    #expect(message(["curve"] + paths + ["--output", output, "--only", "vae"]).contains("curve with 'vae'"))
    #expect(message(["curve"] + paths + ["--output", output, "--measure", "cnn"]).contains("measure with 'cnn'"))
    #expect(message(["curve"] + paths + ["--output", scratch.path + "/"]).contains("expected a name in that folder"))
    #expect(message("curve", paths[0] + "x", "--output", output).contains("there is no run"))
    // On the training part no example is left beside all that a probe learns from.
    let onTraining = try host(
      "evaluate", paths[0], "--part", "train", "--metric", "probe", "--set", "metrics.probe.labels=[100000]")
    #expect(onTraining.output.contains("all examples are trained on"))
    // What was measured is in the summary.
    let folder = RunFolder(URL(fileURLWithPath: paths[2]))
    let summary = try String(contentsOf: folder.summary, encoding: .utf8)
    #expect(summary.contains("logistic on mean at 100 labels"))
  }

  /// A study is its runs, under its own name; a run without probes is left out, with a word.
  @Test(.enabled(if: FigurePrograms.missing == nil)) func studiesAreCurvesByTheirNames() throws {
    let scratch = try Scratch()
    func train(_ name: String, _ more: [String]) throws {
      try host(
        ["compose", "--encoder", "mlp", "--decoder", "mlp", "--set", "encoder.hidden=[16]", "--set", "data.limit=200"]
          + [
            "--set", "data.embedded=true", "--epochs", "1", "--per-class", "1", "--runs", scratch.path, "--name", name,
          ] + more)
    }
    try train("two", ["--metric", "probe", "--set", "metrics.probe.labels=[20, 100]", "--seeds", "1,2"])
    try train("plain", ["--metric", "none"])
    let (two, plain) = (scratch.path + "/two", scratch.path + "/plain")
    let result = try host("curve", two, plain, "--output", "\(scratch.path)/curve", "--measure", "logistic")
    #expect((result.output + result.errors).contains("plain has no accuracy"))
    #expect(result.output.contains("logistic on mean  20: "))
    let one = try host(
      "curve", two + "/seed-1", two + "/seed-2", "--output", "\(scratch.path)/curve", "--only", "two"
    ).output
    #expect(one.contains("logistic on mean  20: "))
    #expect(try scratch.read("curve.csv").split(separator: "\r\n")[1].hasPrefix("logistic on mean,20,2,"))
    // Folds are runs of one contender, and pairs of one seed have the same fold.
    let probe = ["--metric", "probe", "--set", "metrics.probe.labels=[20]"]
    try train("folded", probe + ["--seeds", "1,2", "--folds", "2"])
    try train("wide", probe + ["--set", "encoder.latent=3", "--seeds", "1", "--folds", "2"])
    try host("curve", scratch.path + "/folded", scratch.path + "/wide", "--output", "\(scratch.path)/curve")
    let rows = try scratch.read("curve.csv").split(separator: "\r\n")
    #expect(rows.count == 3 && rows[1].hasPrefix("folded,20,4,") && rows[2].hasPrefix("wide,20,2,"))
    let pairs = try LabelMeasures().values(
      ofRuns: ["folded", "wide"].flatMap { study in
        RunFolder(scratch.url.appendingPathComponent(study)).runs.map(\.url)
      })
    #expect(Set(pairs.map(\.run)).count == 4 && Set(pairs.map(\.data)).count == 4)
  }

  @Test(.enabled(if: FigurePrograms.missing == nil)) func anExperimentsCurvesAreOfTheMeasuresThatItCompares() throws {
    let scratch = try Scratch()
    _ = try train(in: scratch, "a", latent: 2, seed: 1)
    try FileManager.default.copyItem(
      at: scratch.url.appendingPathComponent("a/recipe.yaml"), to: scratch.url.appendingPathComponent("a.yaml"))
    let file = try scratch.write(
      """
      measures: [logistic on pca at 20 labels]
      set: ["metrics=[{use: probe, with: {labels: [20]}}, {use: probe, with: {features: pca, labels: [20]}}]"]
      rows: [{row: one, recipe: a.yaml}]
      """, to: "study.yaml")
    try host("reproduce", file, "--runs", scratch.path, "--per-class", "1")
    func curve(_ more: String...) throws -> String {
      try host(["curve", file, "--runs", scratch.path, "--output", "\(scratch.path)/curve"] + more).output
    }
    #expect(try curve().contains("logistic on pca  20: "))
    #expect(try scratch.read("curve.csv").split(separator: "\r\n").count == 2)
    let twins = try curve("--training")
    #expect(twins.contains("logistic on pca, training") && !twins.contains("on mean"))
    #expect(try curve("--measure", "logistic").contains("logistic on mean"))
  }

  @Test func whatHasNoCurveIsRefused() throws {
    let scratch = try Scratch()
    let head = "row,column,seed,fold,measure,value,unit,published,epochs,training_examples,seconds,folder"
    let file = try scratch.write("\(head)\r\nVAE,,1,,accuracy,50,%,,1,100,1,a\r\n", to: "results.csv")
    let output = scratch.url.appendingPathComponent("curve").path
    #expect(message("curve", file, "--output", output).contains("no number of the kind 'accuracy at 100 labels'"))
    #expect(message("curve", file, "--output", "\(scratch.path)/none/curve").contains("none is not a folder"))
    #expect(message("curve", "--output", output).contains("Missing expected argument"))
    let recipe = try scratch.write("{encoder: mlp}\n", to: "mine.yaml")
    #expect(
      message("curve", recipe, "--output", output).contains("mine.yaml is a recipe, expected finished runs; train it"))
  }
}
