import ArgumentParser
import Datasets
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
    let measured = try host(
      "evaluate", run.url.path, "--metric", "class-variance", "--set", "metrics.class-variance.form=centered")
    #expect(measured.output.contains("Fisher ratio") && !measured.output.contains("reconstruction error"))
    #expect(message("evaluate", run.url.path, "--metric", "acuracy").contains("accuracy"))
    #expect(message("evaluate", run.url.path, "--set", "metrics.accuracy.scores=latents").contains("accuracy"))
    #expect(message("evaluate", run.url.path, "--set", "epochs=3").contains("expected a setting of a metric"))
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
    (
      ["compose", "--encoder", "mlp", "--epochs", "1", "--loss", "mse=1e300"], "--loss mse=1e300: found weight '1e300'"
    ),
    (["compose", "--encoder", "mlp", "--loss", "mse=1e-38"], "expected a finite number: 0, or 1e-37 to 1e12 in size"),
    (["compose", "--encoder", "mlp", "--decoder", "deconv"], "multiples of 8"),
    (["compose", "--encoder", "mlp", "--loss", "centroid", "--loss", "mse"], "centroid"),
    (["compose", "--encoder", "mlp", "--loss", "kl", "--set", "encoder.code=point"], "encoder.code=gaussian"),
    (["compose", "/nowhere/recipe.yaml"], "no such file"),
    (["evaluate", "/nowhere"], "not the folder of a run"),
    (["sample", "/nowhere", "--classes", "a"], "/nowhere is not the folder of a run"),
    (["list", "priors"], "Did you mean 'prior'?"),
    (["list", "prior", "pedc"], "Did you mean 'pedcc'?"),
    (["data", "verify", "mnst"], "Did you mean 'mnist'?"),
    (["check", "pedc"], "Did you mean 'pedcc'?"),
    (["check", "prior:pedc"], "Did you mean 'prior:pedcc'?"),
    (["check", "--seed", "-1"], "--seed is -1, expected 0 or more"),
    (["check", "--jobs", "0"], "--jobs is 0, expected 1 to 1024"),
    (["check", "--device", "gpu"], "--device is 'gpu'"),
    (["check", "--matrix", "--rows", "-1"], "--rows is -1, expected 0 to 1000000"),
    (["check", ""], "found an empty name, expected a part, slot:part, a slot or a plugin"),
    (["check", "--rows", "7"], "--rows needs --matrix"),
    (["check", "--drawn"], "--drawn needs --matrix"),
    (["check", "--matrix", "data"], "no composition has any of data"),
    (["check", "--matrix", "--drawn", "--rows", "0"], "there is nothing to check"),
    (["compse"], "compse"),
    (
      ["train", "--resume", "--name", "nope"],
      "runs/nope to resume; check its name, --name and --runs, or leave --resume out"
    ),
    (["train", "--resume"], "--resume needs a run: name its folder, as in --resume runs/demo, or add --name NAME"),
    (["train", "--encoder", "mlp", "--data", "emnist-digits"], "--data-dir names the data folder"),
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

  @Test func completionsNameWhatMayStandThere() {
    func completions(_ command: String, _ argument: String, after words: String...) -> [String] {
      message(["---completion", command, "--", argument, "\(words.count)", "0"] + words).split(separator: "\n").map(
        String.init)
    }
    #expect(completions("compose", "--prior") == ["standard-normal", "pedcc", "kde", "learned-centroids"])
    #expect(completions("compose", "--noise") == ["scaled-gaussian", "none"])
    #expect(completions("compose", "--metric").last == "none" && !completions("compose", "--loss").contains("none"))
    #expect(completions("train", "--data").contains("mnist") && !completions("train", "--data").contains("none"))
    #expect(completions("sample", "--sampler").contains("mh"))
    #expect(completions("list", "positional@1", after: "host", "list", "noise") == ["scaled-gaussian"])
  }

  @Test func aRecipeMayMeasureNothing() throws {
    let arguments = ["compose", "--encoder", "mlp", "--prior", "pedcc", "--dry-run"]
    #expect(try host(arguments).output.contains("nearest-class-mean"))
    #expect(try !host(arguments + ["--metric", "none"]).output.contains("nearest-class-mean"))
  }

  @Test func projectionsAfterEachStepAreToldFromThoseAtAStagesEnd() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write(
      """
      data: {use: mnist, with: {embedded: true, limit: 100}}
      encoder: {use: mlp, with: {hidden: [8], latent: 2}}
      prior: pedcc
      stages: [{epochs: 1, train: [encoder], losses: [centroid], after: [{project: l1-ball}], then: [{project: l21-ball}]}]
      """, to: "recipe.yaml")
    let output = try host("train", recipe, "--runs", scratch.path, "--name", "run").output
    #expect(output.contains("stage    main: 1 epoch, batch "))
    #expect(output.contains("loss centroid, l1-ball after each step\n"))
  }

  @Test func classesThatASamplerDoesNotFollowAreWarnedAbout() throws {
    let scratch = try Scratch()
    let run = scratch.url.appendingPathComponent("run").path
    try host(
      "train", "--encoder", "mlp", "--prior", "standard-normal", "--set", "data.limit=100", "--set",
      "encoder.hidden=[16]", "--epochs", "1", "--runs", scratch.path, "--name", "run")
    let picture = scratch.url.appendingPathComponent("x.png").path
    #expect(try host("sample", run, "--output", picture).errors == "")
    let found = try host("sample", run, "--classes", "3,5", "--output", picture)
    #expect(found.errors.contains("sampler 'prior' does not follow classes"))
  }

  @Test func aSamplerSaysWhetherItFollowsAnEstimate() throws {
    let words = "draws follow an estimate of the training latents, and may leave the bounds of the prior's density"
    for name in ["kde", "mh", "gibbs", "class-gaussian"] {
      #expect(try host("list", "sampler", name).output.contains(words), "\(name)")
    }
    #expect(try !host("list", "sampler", "prior").output.contains(words))
  }

  @Test func partsNameThePaperThatTheyAreFrom() throws {
    func paper(_ slot: String, _ name: String) throws -> Substring {
      try host("list", slot, name).output.split(separator: "\n", omittingEmptySubsequences: false)[1]
    }
    #expect(try paper("prior", "standard-normal").hasPrefix("Kingma, Welling (2014)"))
    #expect(try paper("loss", "kl").hasPrefix("Kingma, Welling (2014)"))
    #expect(try paper("optimizer", "adam").hasPrefix("Kingma, Ba (2015)"))
    #expect(try paper("prior", "pedcc").hasPrefix("Zhu, Zhang (2019)"))
    #expect(try paper("constraint", "l1-ball").hasPrefix("Condat (2016)"))
    #expect(try paper("constraint", "l11-ball").hasPrefix("Barlaud, Guyard (2021)"))
    #expect(try paper("decoder", "conditional-mlp").hasPrefix("Sohn, Lee, Yan (2015)"))
    for (slot, name) in [
      ("encoder", "mlp"), ("loss", "mse"), ("optimizer", "sgd"), ("sampler", "prior"), ("metric", "accuracy"),
      ("transform", "scale"), ("data", "mnist"),
    ] {
      #expect(try paper(slot, name).isEmpty, "\(slot) \(name)")
    }
  }

  @Test func onlyMistakesOfTheCommandLineEndWith64() throws {
    func code(_ arguments: String...) -> Int32 {
      do { try host(arguments) } catch { return Host.exitCode(for: error).rawValue }
      return 0
    }
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      at: scratch.url.appendingPathComponent("old"), withIntermediateDirectories: true)
    _ = try scratch.write("encoder: mlp", to: "old/recipe.yaml")
    #expect(code("compse") == 64)
    #expect(code("compose", "--encoder", "mlp", "--per-class", "0") == 64)
    #expect(code("train", "--encoder", "mlp", "--device", "gpu") == 64)
    #expect(code("train", "--encoder", "mlp", "--name", "a/b") == 64)
    #expect(code("train", "--encoder", "mlp", "--runs", scratch.path, "--name", "old") == 1)
    #expect(code("train", "--resume", "--runs", scratch.path, "--name", "nope") == 1)
    #expect(code("train", "--encoder", "mlp", "--device", "mps") == 1)
    #expect(code("evaluate", scratch.path) == 1)
  }

  @Test func listsAndTheDoctorRun() throws {
    try host("list")
    for slot in Slot.all { try host("list", slot.name) }
    try host("list", "prior", "pedcc")
    try host("data", "list")
    try host("data", "verify", "mnist")
    try host("doctor")
  }

  private static let hasOlsson =
    ProcessInfo.processInfo.environment["LATENTKIT_DATA"].map {
      FileManager.default.fileExists(atPath: "\($0)/olsson/Olsson.csv")
    } ?? false

  @Test func everyRecipeOfThePluginsFitsItsData() throws {
    let folders = packageRoot.appendingPathComponent("Plugins")
    let recipes = try FileManager.default.subpathsOfDirectory(atPath: folders.path).filter {
      $0.contains("/recipes/") && $0.hasSuffix(".yaml")
    }
    #expect(recipes.count >= 5)
    for recipe in recipes {
      let path = folders.appendingPathComponent(recipe).path
      // The cells of the sparse recipes do not ship with the package: digits stand in for them.
      if recipe.contains("sparse-sae") || recipe.contains("AdversarialVAE/recipes/table") {
        try host("compose", path, "--dry-run", "--data", "mnist", "--transform", "none", "--set", "encoder.latent=10")
      } else {
        // So do those of images that do not ship, of 28x28 as well.
        let data = try #require(try Recipe.read(URL(fileURLWithPath: path)).recipe[.data])
        var digits = "data=mnist"
        if case .int(let pad)? = data.with["pad"] { digits = "data={use: mnist, with: {pad: \(pad)}}" }
        let ships = try DatasetLibrary.description(data.use).isEmbedded
        try host(["compose", path, "--dry-run"] + (ships ? [] : ["--set", digits]) + ["--set", "data.embedded=true"])
      }
    }
  }

  /// The sparse recipes on the table that they are for, with their transforms and both stages.
  @Test(
    .enabled(if: hasOlsson, "needs olsson/Olsson.csv under LATENTKIT_DATA"),
    arguments: ["sparse-sae", "sparse-sae-one-layer"])
  func sparseRecipesTrainOnTheirTable(recipe: String) throws {
    let scratch = try Scratch()
    let path = packageRoot.appendingPathComponent("Plugins/SparseSAE/recipes/\(recipe).yaml").path
    try host("train", path, "--epochs", "1", "--threads", "1", "--runs", scratch.path, "--name", "run")
    let features = try scratch.read("run/features.csv").split(whereSeparator: \.isNewline)
    #expect(features.count > 100 && features.count <= 533)
  }

  @Test func theFirstCommandOfTheReadmeNeedsNoOtherFlag() throws {
    let m2 = try host(
      "compose", "--encoder", "m2", "--loss", "m2", "--loss", "m2-class", "--set", "data.embedded=true", "--dry-run")
    // Its classifier has no weights.
    #expect(m2.output.contains("train: [encoder, decoder]"))
    let alone = try host("compose", "--encoder", "m2", "--set", "data.embedded=true", "--dry-run").output
    #expect(alone.contains("use: m2-class") && alone.contains("sampler: class-gaussian"))
    // Its code is no Gaussian.
    #expect(
      message("compose", "--encoder", "m2", "--set", "data.embedded=true", "--metric", "rate", "--dry-run").contains(
        "metric 'rate' needs a Gaussian code"))
    let bound = try host(
      "compose", "--encoder", "mlp", "--loss", "bernoulli", "--set", "data.embedded=true", "--dry-run")
    #expect((bound.output + bound.errors).contains("nothing keeps its codes near the prior"))
    let whole = try host(
      "compose", "--encoder", "mlp", "--loss", "bernoulli", "--loss", "kl", "--set", "data.embedded=true", "--dry-run")
    #expect(!(whole.output + whole.errors).contains("nothing keeps its codes near the prior"))
    try host("compose", "--encoder", "resnet", "--prior", "pedcc", "--sampler", "mh", "--dry-run")
  }
}
