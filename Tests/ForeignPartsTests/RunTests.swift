import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import ForeignParts

/// Runs with parts of other languages.
@Suite struct ForeignRuns {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let recipe = """
    seed: 2
    data: {use: mnist, with: {embedded: true, limit: 200}}
    encoder: {use: mlp, with: {latent: 3, hidden: [8], code: gaussian}}
    prior: {use: laplace, with: {scale: 0.5}}
    sampler: walkers
    stages: [{epochs: 2, batch: 50, losses: [log-cosh, {use: kl, weight: 0.1}]}]
    """

  private func manifests() throws -> [String] {
    try ["laplace.c", "walkers.cpp", "logcosh.c"].map(scratch.example)
  }

  private func run(_ name: String, _ catalog: Catalog, _ text: String? = nil) throws -> Run {
    try Run(
      Recipe.read(yaml: text ?? Self.recipe, file: "recipe"), catalog: catalog,
      in: URL(fileURLWithPath: scratch.path(name)))
  }

  private func weights(_ run: Run) throws -> [Data] {
    try run.session.composition.store.parameters.map { try $0.tensor.bytes() }
  }

  @Test func aRunWithForeignPartsResumesToTheSameBitsAndDrawsFromThem() throws {
    let catalog = try Catalog(plugins).adding(foreign: manifests())
    let whole = try run("whole", catalog)
    try whole.train()
    var steps = 0
    let outcome = try run("stopped", catalog).train {
      steps += 1
      return steps == 5
    }
    #expect(outcome != .finished)
    let resumed = try Run(opening: URL(fileURLWithPath: scratch.path("stopped")), catalog: catalog)
    #expect(try resumed.train() == .finished)
    #expect(try weights(resumed) == weights(whole))
    let samples = try resumed.sample(perClass: 2)
    #expect(try samples.draw.latents.isFinite().all() && samples.draw.latents.shape == [20, 3])
    // What the recipe keeps of them.
    let stored = try Recipe.read(whole.folder.recipe).recipe
    let prior = try #require(stored[.prior]?.foreign)
    #expect(prior.manifest == scratch.path("laplace.yaml") && prior.checksum?.count == 64)
    #expect(stored[.sampler]?.foreign?.manifest == scratch.path("walkers.yaml"))
    #expect(stored.stages?[0].steps[0].losses.map { $0.foreign?.manifest } == [scratch.path("logcosh.yaml"), nil])
    #expect(stored[.encoder]?.foreign == nil)
    #expect(try Recipe.read(yaml: stored.yaml(), file: "again") == stored)
    #expect(try Composer(catalog).resolve(stored) == whole.session.recipe)
  }

  @Test func aRunIsNotOpenedWithoutItsLibraries() throws {
    let paths = try manifests()
    let all = try Catalog(plugins).adding(foreign: paths)
    let done = try run("done", all)
    try done.train()
    let few = try Catalog(plugins).adding(foreign: Array(paths[1...]))
    let sentence =
      "prior: prior 'laplace' is of the foreign library that laplace.yaml describes; add --foreign laplace.yaml, if you trust it"
    let place = #/done/recipe\.yaml:\d+:\d+: /#
    let refusal = problem(in: scratch) { _ = try Run(opening: done.folder.url, catalog: few) }
    #expect(refusal.starts(with: place) && refusal.trimmingPrefix(place) == sentence)
    let stored = try String(contentsOf: done.folder.recipe, encoding: .utf8)
    #expect(problem(in: scratch) { _ = try run("other", few, stored) } == sentence)
    #expect(
      problem(in: scratch) {
        _ = try Run(opening: done.folder.url, catalog: Catalog(plugins).adding(foreign: Array(paths[..<2])))
      }.trimmingPrefix(place).hasPrefix(
        "stages[0].steps[0].losses[0]: loss 'log-cosh' is of the foreign library that logcosh.yaml describes")
    )
    // With another prior in its place nothing asks for it.
    let other = try Run(opening: done.folder.url, catalog: Catalog(plugins).adding(foreign: [paths[2]])) {
      try $0.apply(choice: .prior, "standard-normal")
      try $0.apply(choice: .sampler, "prior")
    }
    #expect(other.session.recipe[.prior]?.foreign == nil)
  }

  @Test func aLibraryThatHasChangedIsRefused() throws {
    let paths = try manifests()
    try run("done", Catalog(plugins).adding(foreign: paths)).train()
    let done = RunFolder(URL(fileURLWithPath: scratch.path("done")))
    // The same files elsewhere will do: the checksum counts.
    let moved = try Scratch()
    for name in ["laplace.yaml", "liblaplace.so"] {
      try FileManager.default.copyItem(atPath: scratch.path(name), toPath: moved.path(name))
    }
    let elsewhere = try Catalog(plugins).adding(foreign: [moved.path("laplace.yaml")] + paths[1...])
    let opened = try Run(opening: done.url, catalog: elsewhere)
    #expect(opened.session.recipe[.prior]?.foreign?.manifest == moved.path("laplace.yaml"))
    #expect(try opened.train() == .finished)

    let text = try String(contentsOfFile: scratch.path("laplace.yaml"), encoding: .utf8)
    try scratch.write(text.replacing("in C", with: "in C, better"), to: "laplace.yaml")
    let changed = try Catalog(plugins).adding(foreign: paths)
    let refusal = problem(in: scratch) { _ = try Run(opening: done.url, catalog: changed) }
    #expect(
      refusal.wholeMatch(
        of:
          /done\/recipe\.yaml:\d+:\d+: prior: prior 'laplace' has changed: laplace.yaml and its library have the checksum [0-9a-f]{12}, expected [0-9a-f]{12} as in the recipe; put the old ones back, or leave 'checksum' out of the recipe to take the new ones/
      ) != nil, "\(refusal)")
    // Without the checksum it is taken as it is now.
    var recipe = try Recipe.read(done.recipe).recipe
    recipe[.prior]?.foreign?.checksum = nil
    #expect(problem(in: scratch) { _ = try run("new", changed, recipe.yaml()) } == "nothing thrown")
  }

  @Test func aPartOfTheProgramIsNotTakenForAForeignOneOfItsName() throws {
    let recipe = Self.recipe.replacing(
      "prior: {use: laplace, with: {scale: 0.5}}", with: "prior: {use: pedcc, foreign: ./pedcc.yaml}")
    let catalog = try Catalog(plugins).adding(foreign: manifests())
    #expect(
      problem(in: scratch) { _ = try run("never", catalog, recipe) }
        == "prior: prior 'pedcc' is of the foreign library that ./pedcc.yaml describes, and not the one of this program; add --foreign ./pedcc.yaml, if you trust it"
    )
  }

  @Test func aRunWithItsOwnDataIsKnownByThemAndItsManifest() throws {
    let file = try scratch.write(
      (0..<90).map { "\(Double($0 % 3) + 0.01 * Double($0)) \(Double($0) / 50) \($0 % 3)\n" }.joined(), to: "points.txt"
    )
    let path = try scratch.example("points.c")
    let recipe = """
      data: {use: points, with: {file: \(file)}}
      encoder: {use: mlp, with: {latent: 2, hidden: [4]}}
      decoder: {use: mlp, with: {output: none}}
      stages: [{epochs: 1, batch: 30, losses: [mse]}]
      """
    let catalog = try Catalog(plugins).adding(foreign: [path])
    let done = try run("done", catalog, recipe)
    try done.train()
    let stored = try Recipe.read(done.folder.recipe).recipe
    #expect(stored[.data]?.foreign?.manifest == path && stored[.data]?.with["file"] == .string(file))
    #expect(try Run(opening: done.folder.url, catalog: catalog).evaluate().losses.isEmpty == false)
    #expect(
      problem(in: scratch) { _ = try Run(opening: done.folder.url, catalog: Catalog(plugins)) }
        .contains(": data: data 'points' is of the foreign library that points.yaml describes"))
    try scratch.write("0 0 0\n1 1 1\n2 2 2\n3 3 0\n4 4 1\n5 5 2\n6 6 0\n7 7 1\n8 8 2\n9 9 0\n", to: "points.txt")
    #expect(
      problem(in: scratch) { _ = try Run(opening: done.folder.url, catalog: catalog).evaluate() }.contains("checksum"))
  }

  @Test func whatALibraryCannotDrawIsRefusedBeforeTraining() throws {
    _ = try scratch.hostile(
      """
        - sampler: fails
          summary: a sampler of a test
          draw: {call: fails_to_draw, takes: [draws: double*, count: int64_t, latent: int64_t, seed: uint64_t], returns: {count: int64_t}}
        - prior: fails
          summary: a prior of a test
          density: {call: fails, takes: [latents: double*, rows: int64_t, log-densities: double*], returns: {status: int}}
      """)
    let catalog = try Catalog(plugins).adding(foreign: manifests() + [scratch.path("parts.yaml")])
    for metrics in ["", "metrics: [reconstruction-error]\n", "metrics: [data-copying]\n"] {
      let recipe = Self.recipe.replacing("sampler: walkers", with: "\(metrics)sampler: fails")
      let found = problem(in: scratch) { try run("never", catalog, recipe).train() }
      #expect(
        found.hasSuffix("sampler 'fails': 'fails_to_draw' of ./libhostile.so threw: no step size will do"), "\(found)")
      #expect(!FileManager.default.fileExists(atPath: scratch.path("never/checkpoints")))
    }
  }
}
