import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import HostKit

/// Named critics on the decoders of other papers: `--discriminator NAME` and no other flag.
@Suite struct Critics {
  private func resolved(_ critic: String) throws -> Recipe {
    var recipe = Recipe()
    recipe[.data] = "mnist"
    recipe[.encoder] = "resnet"
    recipe[.prior] = "pedcc"
    recipe[.sampler] = "mh"
    recipe[.discriminator] = PartChoice(critic)
    return try Composer(Catalog(plugins)).resolve(recipe)
  }

  @Test(arguments: [
    ("least-squares", "least-squares-critic", "least-squares", [] as [String]),
    ("wgan", "wasserstein-critic", "wasserstein", ["weight-clip"]),
    ("wgan-gp", "wasserstein-gp-critic", "wasserstein", []),
  ])
  func aNameBringsItsCriterionItsStepAndTheDecodersLoss(
    name: String, criterion: String, form: String, clipping: [String]
  ) throws {
    let recipe = try resolved(name)
    let steps = try #require(recipe.stages?.first).steps
    #expect(steps.map(\.train) == [["discriminator"], ["encoder", "decoder"]])
    #expect(steps[0].losses.map(\.use) == [criterion])
    #expect(steps[1].losses.map(\.use) == ["centroid", "mse", "sobel", "adversarial"])
    #expect(steps[1].losses.last?.with["form"] == .string(form) && steps[1].losses.last?.weight == 0.01)
    let constraints = steps[0].after.compactMap { action in
      if case .project(let choice, _, let biases) = action, biases { choice.use } else { nil }
    }
    #expect(constraints == clipping)
    #expect(recipe[all: .metric]?.contains { $0.use == "critic" } == true)
  }

  @Test(arguments: ["least-squares", "wgan", "wgan-gp"]) func aNameNeedsNoOtherFlag(name: String) throws {
    try host(
      "compose", "--encoder", "resnet", "--prior", "pedcc", "--discriminator", name, "--sampler", "mh", "--dry-run")
  }

  /// With another critic the steps of the first one go.
  @Test func oneCriticTakesTheStepsOfAnother() throws {
    let composer = Composer(try Catalog(plugins))
    let other = try composer.resolve(composer.replacing(.discriminator, by: "wgan", in: resolved("wgan-gp")))
    let steps = try #require(other.stages?.first).steps
    #expect(steps.flatMap(\.losses).map(\.use).filter { $0.contains("critic") } == ["wasserstein-critic"])
    #expect(steps.flatMap(\.losses).count { $0.use == "adversarial" } == 1)
  }

  @Test func aRunWithACriticTrainsBothSides() throws {
    let scratch = try Scratch()
    func weights(_ epochs: String, _ name: String) throws -> [String: Tensor] {
      try host(
        "train", "--encoder", "mlp", "--prior", "pedcc", "--discriminator", "wgan", "--set", "data.limit=300", "--set",
        "encoder.hidden=[16]", "--set", "discriminator.widths=[4,4]", "--epochs", epochs, "--runs", scratch.path,
        "--name", name)
      let folder = RunFolder(scratch.url.appendingPathComponent(name))
      return try Checkpoint.read(folder.checkpoint).tensors
    }
    let (one, two) = (try weights("1", "one"), try weights("2", "two"))
    for part in ["model.discriminator.", "model.decoder.", "model.encoder."] {
      let names = one.keys.filter { $0.hasPrefix(part) }
      #expect(!names.isEmpty)
      #expect(try names.contains { name in try ((try #require(one[name])) .!= (try #require(two[name]))).any() })
    }
    for (name, weight) in two where name.hasPrefix("model.discriminator.") {
      #expect(try weight.abs().max().item() <= 0.01 + 1e-9, "\(name)")
    }
    let summary = try scratch.read("two/summary.json")
    #expect(summary.contains("critic score, real") && summary.contains("diversity"))
  }

  /// Figure 6's networks take 32x32 in colour, and 28x28 of 50 and 101 classes.
  @Test(arguments: [("cifar10", [3, 32, 32], 10), ("omniglot", [1, 28, 28], 50), ("caltech", [1, 28, 28], 101)])
  func theRecipesOfOtherImagesFitThem(name: String, shape: [Int], classes: Int) throws {
    let composer = Composer(try Catalog(plugins))
    for size in ["", "-small"] {
      let file = packageRoot.appendingPathComponent(
        "Plugins/AdversarialVAE/recipes/\(name)\(size).yaml")
      let recipe = try composer.resolve(Recipe.read(file).recipe)
      let data = DataShape(title: "data", inputShape: shape, inputRange: 0...1, classCount: classes)
      #expect(try composer.dryRun(recipe, for: data).isEmpty)
      let losses = try #require(recipe.stages?.last?.steps.last?.losses)
      let weights = Dictionary(uniqueKeysWithValues: losses.map { ($0.use, $0.weight) })
      // FACTS: K_z 100, beta 0.001 and gamma 0 on CIFAR-10; beta 0.5 on Omniglot in the plane.
      let beta = ["cifar10": 0.001, "omniglot": 0.5, "caltech": 0.01]
      #expect(weights["adversarial"] == beta[name] && weights["latent-class"] == (name == "cifar10" ? nil : 0.1))
      #expect(recipe[.encoder]?.with["latent"] == (name == "omniglot" ? 2 : 100))
    }
  }

  /// So the cells of a grid over the second stage share one encoder, bit for bit.
  @Test func theSecondStepLeavesEncoderAndClassifierAlone() throws {
    let scratch = try Scratch()
    func weights(_ recipe: String) throws -> [String: Tensor] {
      let path = packageRoot.appendingPathComponent("Plugins/AdversarialVAE/recipes/\(recipe).yaml").path
      try host(
        "train", path, "--set", "data.embedded=true", "--set", "data.limit=260", "--set", "encoder.widths=[2,3,4]",
        "--epochs", "1", "--runs", scratch.path, "--name", recipe)
      return try Checkpoint.read(RunFolder(scratch.url.appendingPathComponent(recipe)).checkpoint).tensors
    }
    let (one, two) = (try weights("vec-small"), try weights("adversarial-vae-small"))
    var compared = 0
    for (name, weight) in one where name.hasPrefix("model.encoder.") || name.hasPrefix("model.classifier.") {
      #expect(try weight.bytes() == (try #require(two[name])).bytes(), "\(name)")
      compared += 1
    }
    #expect(compared > 50)
    #expect(two.keys.contains { $0.hasPrefix("model.decoder.") })
    let log = try scratch.read("adversarial-vae-small/metrics.jsonl")
    for term in ["critic real", "critic generated", "feature-reconstruction", "adversarial", "latent-class"] {
      #expect(log.contains(term))
    }
  }
}
