import Foundation
import LatentKit
import Testing

@testable import Recipes

/// Recipes that extend others, in files.
@Suite struct ExtendingRecipes {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("extends-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("inner"), withIntermediateDirectories: true)
  }

  private func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: folder.appendingPathComponent(name))
  }

  private func read(_ name: String) throws -> Recipe { try Recipe.read(folder.appendingPathComponent(name)).recipe }

  private func fault(_ name: String) -> String {
    do { _ = try read(name) } catch { return "\(error)".replacing(folder.path + "/", with: "") }
    return "none"
  }

  private let base = """
    name: base
    about: what base reproduces
    seed: 4
    data: {use: digits, with: {pad: 2}}
    encoder: {use: mlp, with: {latent: 40, hidden: [64]}}
    prior: {use: pedcc, with: {iterations: 3}}
    metrics: [accuracy]
    stages:
      - epochs: 20
        optimizer: {use: sgd, with: {momentum: 0.9, learningRate: 0.1}}
        losses: [centroid, mse]
    """

  @Test func whatIsSaidStandsInPlaceOfTheOtherRecipe() throws {
    try write(base, to: "base.yaml")
    try write(
      """
      extends: ../base.yaml
      name: mine
      encoder: {with: {latent: 8}}
      prior: standard-normal
      metrics: [silhouette]
      stages:
        - epochs: 5
          optimizer: {with: {learningRate: 0.01}}
          losses: [mse]
        - {name: fine, epochs: 2, losses: [mse]}
      """, to: "inner/mine.yaml")
    let recipe = try read("inner/mine.yaml")
    let whole = try Recipe.read(
      yaml: """
        name: mine
        seed: 4
        data: {use: digits, with: {pad: 2}}
        encoder: {use: mlp, with: {latent: 8, hidden: [64]}}
        prior: standard-normal
        metrics: [silhouette]
        stages:
          - name: main
            epochs: 5
            optimizer: {use: sgd, with: {momentum: 0.9, learningRate: 0.01}}
            losses: [mse]
          - {name: fine, epochs: 2, losses: [mse]}
        """, file: "whole.yaml")
    #expect(recipe == whole)
    // Another name in a slot drops the settings; the same one keeps them.
    try write("extends: base.yaml\nprior: pedcc\nencoder: {use: resnet, with: {latent: 3}}", to: "other.yaml")
    let other = try read("other.yaml")
    #expect(other[.prior]?.with == ["iterations": 3] && other[.encoder] == PartChoice("resnet", with: ["latent": 3]))
    #expect(other.stages?.first?.epochs == 20 && other.name == nil && other.about == nil)
    // A chain, and the folder of a run.
    try write("extends: inner/mine.yaml\nseed: 9", to: "chain.yaml")
    var chained = try read("chain.yaml")
    #expect(chained.seed == 9)
    (chained.seed, chained.name) = (4, "mine")
    #expect(chained == whole)
    try write(whole.yaml(), to: "inner/recipe.yaml")
    try write("extends: inner\nname: mine", to: "run.yaml")
    #expect(try read("run.yaml") == whole && read("inner") == whole)
  }

  @Test func errorsNameTheFileAndTheLineThatIsWrong() throws {
    try write(base.replacing("epochs: 20", with: "epochs: many"), to: "base.yaml")
    try write("seed: 1\nextends: base.yaml\nencoder: {with: {latent: 8}}", to: "mine.yaml")
    #expect(fault("mine.yaml").hasPrefix("base.yaml:9:13: stages[0].epochs: found 'many', expected a whole number"))
    try write(base, to: "base.yaml")
    #expect(fault("mine.yaml") == "none")
    try write("seed: x\nextends: base.yaml", to: "mine.yaml")
    #expect(fault("mine.yaml").hasPrefix("mine.yaml:1:7: seed: found 'x'"))
    try write("seed: 1\nextends: [base.yaml]", to: "mine.yaml")
    #expect(fault("mine.yaml").hasPrefix("mine.yaml:2:10: extends: found a list, expected the path of a recipe file"))
    try write("extends: gone.yaml", to: "mine.yaml")
    #expect(
      fault("mine.yaml") == "mine.yaml:1:10: extends: gone.yaml: there is no such file; check its name and folder")
    try write("extends: broken.yaml", to: "mine.yaml")
    try write("seed: [1\n", to: "broken.yaml")
    #expect(fault("mine.yaml").hasPrefix("broken.yaml:"))
    // Settings are checked when a recipe is resolved, and are placed in their file too.
    try write("extends: base.yaml\nprior: standard-normal", to: "mine.yaml")
    let source = try Recipe.read(folder.appendingPathComponent("mine.yaml"))
    let error = source.located(ConfigError(path: "encoder.with.latent", "found 40"))
    #expect("\(error)".replacing(folder.path + "/", with: "").hasPrefix("base.yaml:5:"))
  }

  @Test func aCircleIsRefused() throws {
    try write("extends: b.yaml", to: "a.yaml")
    try write("extends: inner/../a.yaml", to: "b.yaml")
    #expect(fault("a.yaml").hasPrefix("b.yaml:1:10: extends: found inner/../a.yaml, which extends this file in turn"))
    try write("extends: self.yaml", to: "self.yaml")
    #expect(fault("self.yaml").contains("a recipe cannot extend itself"))
  }

  @Test func aStageNameThatIsNearlyAnothersIsRefused() throws {
    try write(base, to: "base.yaml")
    try write("seed: 1\nextends: base.yaml\nstages:\n  - {name: mian, epochs: 3}", to: "mine.yaml")
    #expect(
      fault("mine.yaml").hasPrefix(
        "mine.yaml:4:12: stages: found stage 'mian', and the recipe that this one extends has 'main'"))
    // Numbered stages are meant.
    try write(base.replacing("- epochs: 20", with: "- name: part-1\n    epochs: 20"), to: "base.yaml")
    try write("extends: base.yaml\nstages:\n  - {name: part-2, epochs: 3, losses: [mse]}", to: "mine.yaml")
    #expect(try read("mine.yaml").stages?.map(\.name) == ["part-1", "part-2"])
  }

  @Test func keysOfTheOnlyStepReachAStageWithSteps() throws {
    let steps = base.replacing(
      "    optimizer: {use: sgd, with: {momentum: 0.9, learningRate: 0.1}}\n    losses: [centroid, mse]",
      with: "    steps: [{train: [encoder], losses: [mse], optimizer: {use: sgd, with: {momentum: 0.9}}}]")
    try write(steps, to: "base.yaml")
    let changes = "extends: base.yaml\nstages: [{losses: [centroid], optimizer: {with: {learningRate: 0.5}}}]"
    try write(changes, to: "mine.yaml")
    let step = try #require(read("mine.yaml").stages?.first?.steps.first)
    #expect(step.train == ["encoder"] && step.losses.map(\.use) == ["centroid"])
    #expect(step.optimizer == PartChoice("sgd", with: ["momentum": 0.9, "learningRate": 0.5]))
    try write(steps.replacing("[{train", with: "[{train: [decoder], losses: [mse]}, {train"), to: "base.yaml")
    #expect(
      fault("mine.yaml").hasPrefix(
        "mine.yaml:2:11: stages: found 'losses', and the stage that this one extends has several steps"))
  }
}
