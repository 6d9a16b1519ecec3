import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import HostKit

@Suite struct Commands {
  @Test func composeLeavesAWholeRunFolderThatOtherCommandsRead() throws {
    let scratch = try Scratch()
    let run = RunFolder(scratch.url.appendingPathComponent("small"))
    try host(
      "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "class-gaussian", "--set", "data.limit=300",
      "--set",
      "encoder.hidden=[32]", "--epochs", "2", "--per-class", "3", "--runs", scratch.path, "--name", "small")
    for file in [run.recipe, run.metrics, run.events, run.checkpoint, run.latents, run.summary, run.report] {
      #expect(FileManager.default.fileExists(atPath: file.path), "\(file.lastPathComponent)")
    }
    for picture in ["curves.png", "samples.png", "reconstructions.png", "class-distances.png"] {
      #expect(try Data(contentsOf: run.figure(picture)).starts(with: [0x89, 0x50, 0x4e, 0x47]))
      let svg = run.figure(picture).deletingPathExtension().appendingPathExtension("svg")
      #expect(try String(contentsOf: svg, encoding: .utf8).contains("</svg>"))
    }
    let summary = try JSONDecoder().decode(RunSummary.self, from: Data(contentsOf: run.summary))
    #expect(summary.trainingExamples == 300 && summary.testExamples == 1000 && summary.epochs == 2)
    #expect(summary.testMetrics.map(\.name) == ["nearest-class-mean accuracy", "reconstruction error"])
    #expect(try #require(summary.testMetrics[0].value) > 30)
    #expect(try MetricsLog.read(run.metrics).count == 2)
    // Nothing temporary is left behind.
    let files = try FileManager.default.subpathsOfDirectory(atPath: run.url.path)
    #expect(files.allSatisfy { !$0.contains("partial") })

    try host("evaluate", run.url.path, "--part", "validation")
    let picture = scratch.url.appendingPathComponent("x.png").path
    let latents = scratch.url.appendingPathComponent("x.safetensors").path
    try host(
      "sample", run.url.path, "--sampler", "mh", "--set", "sampler.steps=300", "--classes", "3,5", "--per-class", "4",
      "--output", picture, "--latents", latents)
    #expect(FileManager.default.fileExists(atPath: picture))
    let drawn = try Safetensors.read(URL(fileURLWithPath: latents)).tensors
    #expect(drawn["latents"]?.shape == [8, 40])
    #expect(try drawn["labels"]?.ints() == [3, 3, 3, 3, 5, 5, 5, 5])
    try host("reconstruct", run.url.path, "--data", "fashion-mnist", "--count", "4", "--output", picture)

    // The resolved recipe repeats the run, and a finished run goes on to itself.
    try host("compose", run.recipe.path, "--per-class", "3", "--runs", scratch.path, "--name", "again")
    let again = RunFolder(scratch.url.appendingPathComponent("again"))
    #expect(try Data(contentsOf: again.latents) == Data(contentsOf: run.latents))
    #expect(try Data(contentsOf: again.figure("samples.png")) == Data(contentsOf: run.figure("samples.png")))
    try host("train", "--resume", "--name", "small", "--runs", scratch.path)

    #expect(message("compose", "--encoder", "mlp", "--runs", scratch.path, "--name", "small").contains("--overwrite"))
    #expect(
      message("train", "--resume", "--name", "small", "--runs", scratch.path, "--set", "encoder.latent=7").contains(
        "differ from the run"))
  }

  @Test(arguments: [
    (["compose", "--encoder", "resnt"], "Did you mean 'resnet'?"),
    (["compose"], "a recipe needs an encoder"),
    (["compose", "--encoder", "mlp", "--prior", "pedcc", "--set", "prior.clases=3"], "Did you mean 'classes'?"),
    (
      ["compose", "--encoder", "mlp", "--prior", "pedcc", "--set", "prior.classes=3"],
      "classes is 3, and the data have 10"
    ),
    (["compose", "--encoder", "mlp", "--epochs", "-1"], "epochs"),
    (["compose", "--encoder", "mlp", "--epochs", "ten"], "ten"),
    (["compose", "--encoder", "mlp", "--batch", "0"], "batch"),
    (["compose", "--encoder", "mlp", "--data", "mnst"], "Did you mean 'mnist'?"),
    (["compose", "--encoder", "mlp", "--data", "mnist", "--data-dir", "/nowhere"], "/nowhere"),
    (["data", "list", "--data-dir", "/nowhere"], "--data-dir: there is no folder /nowhere"),
    (["doctor", "--data-dir", "/nowhere"], "--data-dir: there is no folder /nowhere"),
    (["compose", "--encoder", "mlp", "--device", "gpu"], "--device is 'gpu'"),
    (["compose", "--encoder", "mlp", "--threads", "0"], "--threads is 0"),
    (["compose", "--encoder", "mlp", "--threads", "3000000000"], "expected 1 to 1024"),
    (["compose", "--encoder", "mlp", "--epochs", "9223372036854775807"], "at most 1000000"),
    (["compose", "--encoder", "mlp", "--set", "encoder.hidden=[4000000000]"], "numbers, each 1 to 1000000"),
    (["compose", "--encoder", "mlp", "--metric", "accuracy"], "needs a classifier"),
    (
      [
        "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "mh", "--set",
        "sampler.steps=9223372036854775807",
      ], "1 to 10000000"
    ),
    (["compose", "--encoder", "mlp", "--per-class", "0"], "--per-class is 0"),
    (["compose", "--encoder", "mlp", "--name", "a/b"], "--name is 'a/b'"),
    (["compose", "--encoder", "mlp", "--overwrite"], "--overwrite needs the run's name"),
    (["compose", "--encoder", "mlp", "--loss", "mse=heavy"], "found weight 'heavy'"),
    (["compose", "--encoder", "mlp", "--decoder", "deconv"], "multiples of 8"),
    (["compose", "--encoder", "mlp", "--loss", "centroid", "--loss", "mse"], "centroid"),
    (["compose", "--encoder", "mlp", "--loss", "kl", "--set", "encoder.code=point"], "encoder.code=gaussian"),
    (["compose", "/nowhere/recipe.yaml"], "no such file"),
    (["evaluate", "/nowhere"], "not the folder of a run"),
    (["sample", "/nowhere", "--classes", "a"], "/nowhere is not the folder of a run"),
    (["list", "priors"], "Did you mean 'prior'?"),
    (["list", "prior", "pedc"], "Did you mean 'pedcc'?"),
    (["data", "verify", "mnst"], "Did you mean 'mnist'?"),
    (["compse"], "compse"),
  ])
  func wrongInputIsOneSentenceAndLeavesNothing(arguments: [String], sentence: String) throws {
    let scratch = try Scratch()
    var arguments = arguments
    let runs = scratch.url.appendingPathComponent("runs").path
    if arguments[0] == "compose" { arguments += ["--runs", runs] }
    var found = ""
    do { try host(arguments) } catch {
      #expect(HostCommand.exitCode(for: error) != .success)
      found = HostCommand.fullMessage(for: error)
    }
    #expect(found.contains(sentence), "\(found)")
    #expect(!FileManager.default.fileExists(atPath: runs))
  }

  @Test func everySlotHasAFlag() throws {
    let taken = try PartOptions.parse([]).choices.map(\.0)
    #expect(Set(taken) == Set(Slot.all.filter { $0.isSingle && $0 != .data }) && Set(taken).count == taken.count)
    // A constraint stands in an action, which has no flag.
    let help = HostCommand.helpMessage(for: Compose.self)
    for slot in Slot.all where slot != .constraint { #expect(help.contains("--\(slot.name) <"), "\(slot.name)") }
  }

  @Test func listsAndTheDoctorRun() throws {
    try host("list")
    for slot in Slot.all { try host("list", slot.name) }
    try host("list", "prior", "pedcc")
    try host("data", "list")
    try host("data", "verify", "mnist")
    try host("doctor")
  }

  @Test func everyRecipeOfThePluginsFitsItsData() throws {
    let folders = packageRoot.appendingPathComponent("Plugins")
    let recipes = try FileManager.default.subpathsOfDirectory(atPath: folders.path).filter {
      $0.contains("/recipes/") && $0.hasSuffix(".yaml")
    }
    #expect(recipes.count >= 5)
    for recipe in recipes {
      let path = folders.appendingPathComponent(recipe).path
      // The cells of the sparse recipes do not ship with the package: digits stand in for them.
      if recipe.contains("sparse-sae") {
        try host("compose", path, "--dry-run", "--data", "mnist", "--transform", "none", "--set", "encoder.latent=10")
      } else {
        try host("compose", path, "--dry-run", "--set", "data.embedded=true")
      }
    }
  }

  @Test func theFirstCommandOfTheReadmeNeedsNoOtherFlag() throws {
    try host("compose", "--encoder", "resnet", "--prior", "pedcc", "--sampler", "mh", "--dry-run")
  }
}
