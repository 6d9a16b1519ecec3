import Foundation
import LatentKit
import Recipes
import Testing
import Training

@testable import HostKit

@Test func aPartGoesFromOneRunToAnotherByFlags() throws {
  let scratch = try Scratch()
  func compose(_ name: String, _ more: String...) throws {
    try host(
      ["compose"] + more + [
        "--set", "data.limit=200", "--epochs", "1", "--per-class", "1", "--metric", "none", "--runs", scratch.path,
        "--name", name,
      ])
  }
  try compose("source", "--encoder", "mlp", "--set", "encoder.hidden=[16]", "--set", "encoder.latent=5")
  let source = scratch.url.appendingPathComponent("source").path
  let part = scratch.url.appendingPathComponent("part").path
  let printed = try host("export", source, "--part", "encoder", "--output", part).output
  #expect(printed.hasPrefix("encoder  \(part)\nchecksum "))
  let files = try FileManager.default.contentsOfDirectory(atPath: part).sorted()
  #expect(
    files == ["SHA256SUMS", "examples.safetensors", "part.json", "part.py", "recipe.yaml", "weights.safetensors"])
  try compose("user", "--encoder", part, "--freeze", "encoder", "--decoder", "mlp", "--seed", "3")
  func weights(_ name: String) throws -> [String: Data] {
    let run = RunFolder(scratch.url.appendingPathComponent(name))
    return try Checkpoint.read(run.checkpoint).tensors.filter { $0.key.hasPrefix("model.encoder.") }
      .mapValues { try $0.bytes() }
  }
  #expect(try weights("user") == weights("source"))
  let recipe = try Recipe.read(scratch.url.appendingPathComponent("user/recipe.yaml")).recipe
  #expect(recipe[.encoder]?.use == "mlp" && recipe[.encoder]?.origin?.isFrozen == true)
  // The run's recipe repeats it, and another encoder by name starts anew.
  try host("compose", scratch.path + "/user/recipe.yaml", "--per-class", "1", "--runs", scratch.path, "--name", "again")
  #expect(try weights("again") == weights("source"))
  try host(
    "compose", scratch.path + "/user/recipe.yaml", "--encoder", "conv", "--set", "stages[0].train=[encoder, decoder]",
    "--per-class", "1", "--runs", scratch.path, "--name", "other")
  #expect(try Recipe.read(scratch.url.appendingPathComponent("other/recipe.yaml")).recipe[.encoder]?.origin == nil)

  let unknown = message("export", source, "--part", "encodr")
  #expect(unknown.hasPrefix("Error: --part: there is no slot with weights 'encodr'; known: encoder, prior, "))
  #expect(unknown.contains("Did you mean 'encoder'?") && !unknown.contains("\n"), "\(unknown)")
  #expect(message("export", source, "--part", "noise").contains("the run has no noise"))
  #expect(message("export", source, "--part", "decoder", "--output", part).contains("is there already"))
  #expect(
    message("compose", "--encoder", "mlp", "--freeze", "encoder", "--runs", scratch.path).contains(
      "there is no such part from a folder"))
  #expect(
    message(
      "compose", scratch.path + "/user/recipe.yaml", "--set", "stages[0].train=[encoder, decoder]", "--runs",
      scratch.path, "--name", "never"
    ).contains("stage 'main' trains encoder, which is frozen; take it out of train, or set encoder.frozen to false"))
}
