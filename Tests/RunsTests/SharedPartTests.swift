import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Testing
import Training

@testable import Runs

/// Parts of one run in another.
@Suite struct SharedParts {
  private let scratch: Scratch
  private let catalog: Catalog

  init() throws {
    scratch = try Scratch()
    catalog = try Catalog(plugins)
  }

  private func path(_ name: String) -> String { scratch.url.appendingPathComponent(name).path }

  @discardableResult
  private func train(_ name: String, _ yaml: String) throws -> Run {
    let run = try Run(
      Recipe.read(yaml: yaml, file: name), catalog: catalog, in: URL(fileURLWithPath: path(name)))
    try run.train()
    return run
  }

  private let source = """
    seed: 1
    data: {use: mnist, with: {embedded: true, limit: 300}}
    encoder: {use: mlp, with: {latent: 6, hidden: [16]}}
    classifier: linear
    stages: [{epochs: 2, batch: 50, losses: [mse, cross-entropy]}]
    """

  private func user(_ encoder: String, data: String = "embedded: true, limit: 200", more: String = "") -> String {
    """
    seed: 7
    data: {use: mnist, with: {\(data)}}
    encoder: \(encoder)
    \(more)
    stages: [{epochs: 1, batch: 50, losses: [mse]}]
    """
  }

  /// Exports a part of the source, trained before.
  private func export(_ slot: Slot, as name: String) throws -> Run {
    let run =
      try FileManager.default.fileExists(atPath: path("source"))
      ? Run(opening: URL(fileURLWithPath: path("source")), catalog: catalog) : train("source", source)
    try PartExport(slot, of: run.session, named: "source").write(to: URL(fileURLWithPath: path(name)))
    return run
  }

  private func weights(_ run: Run, _ slot: String) throws -> [Data] {
    try run.session.composition.store.parameters(under: slot).map { try $0.tensor.bytes() }
  }

  private func problem(_ yaml: String) -> String {
    do { try train("never-\(UUID().uuidString)", yaml) } catch {
      return "\(error)".replacing(scratch.url.path + "/", with: "")
    }
    return "none"
  }

  /// The same as by an exported part, with nothing exported.
  @Test func aPartComesStraightFromARunsFolder() throws {
    let before = try export(.encoder, as: "part")
    func trained(_ name: String, _ folder: String, frozen: Bool) throws -> Run {
      try train(name, user("{from: \(path(folder)), frozen: \(frozen)}"))
    }
    let run = try trained("of-run", "source", frozen: true)
    #expect(try weights(run, "encoder") == weights(before, "encoder"))
    let choice = try #require(Recipe.read(run.folder.recipe).recipe[.encoder])
    #expect(choice.use == "mlp" && choice.with["latent"] == 6 && choice.origin?.checksum?.count == 64)
    let (one, other) = (
      try trained("run-further", "source", frozen: false), try trained("part-further", "part", frozen: false)
    )
    #expect(
      try weights(one, "encoder") == weights(other, "encoder") && weights(one, "encoder") != weights(before, "encoder"))
    // The run's recipe repeats it, as long as the other run is the same.
    let again = try Run(
      Recipe.read(one.folder.recipe).recipe, catalog: catalog, in: URL(fileURLWithPath: path("again")))
    try again.train()
    #expect(try weights(again, "encoder") == weights(one, "encoder"))

    #expect(
      problem(user("{from: \(path("source")), with: {latent: 9}}")).contains("its settings cannot change"))
    #expect(problem(user("{from: \(path("source")), use: resnet}")).contains("the run in source has encoder 'mlp'"))
    #expect(
      problem(user("mlp", more: "discriminator: {from: \(path("source"))}"))
        .contains(
          "the run in source has no discriminator, expected one of its parts: encoder, prior, decoder, classifier"))
    #expect(
      problem(user("mlp", more: "prior: {from: \(path("source"))}")).contains("has no weights"))
    // It is held as long as it has not finished.
    try before.finish(perClass: nil)
    let changed = try Run(
      Recipe.read(yaml: source.replacing("seed: 1", with: "seed: 2"), file: "other"), catalog: catalog,
      in: URL(fileURLWithPath: path("source")), existing: .replace)
    try changed.train()
    #expect(
      problem(try String(contentsOf: one.folder.recipe, encoding: .utf8)).contains("the run in source has changed"))
  }

  @Test func aFrozenEncoderKeepsItsWeightsInAnotherRun() throws {
    let before = try export(.encoder, as: "part")
    let run = try train("user", user("{from: \(path("part")), frozen: true}"))
    #expect(try weights(run, "encoder") == weights(before, "encoder"))
    #expect(run.session.recipe.stages?[0].steps[0].train == ["decoder"])
    // The resolved recipe says which part it was, and can be read back.
    let choice = try #require(run.session.recipe[.encoder])
    #expect(choice.use == "mlp" && choice.with["latent"] == 6 && choice.origin?.isFrozen == true)
    #expect(choice.origin?.checksum?.count == 64)
    let stored = try Recipe.read(run.folder.recipe).recipe
    #expect(stored[.encoder] == choice)
    // A finished run needs the folder no longer.
    try FileManager.default.removeItem(atPath: path("part"))
    let latents = try run.encode().latents
    let opened = try Run(opening: run.folder.url, catalog: catalog)
    #expect(try opened.encode().latents.bytes() == latents.bytes())
  }

  @Test func aPartThatIsNotFrozenIsTrainedFurther() throws {
    let before = try export(.encoder, as: "part")
    let run = try Run(
      Recipe.read(yaml: user("{from: \(path("part"))}"), file: "user"), catalog: catalog,
      in: URL(fileURLWithPath: path("user")))
    #expect(try weights(run, "encoder") == weights(before, "encoder"))
    try run.train()
    let (old, new) = (try weights(before, "encoder"), try weights(run, "encoder"))
    #expect(zip(old, new).allSatisfy { $0 != $1 })
  }

  @Test func aFrozenPartThatIsAskedToTrainIsRefused() throws {
    _ = try export(.encoder, as: "part")
    let recipe = user("{from: \(path("part")), frozen: true}")
      .replacing("batch: 50,", with: "batch: 50, train: [encoder, decoder],")
    #expect(
      problem(recipe)
        == "stage 'main' trains encoder, which is frozen; take it out of train, or set encoder.frozen to false")
  }

  @Test func everyPartWithWeightsIsSharedAndNoOther() throws {
    let run = try export(.decoder, as: "decoder")
    _ = try export(.classifier, as: "classifier")
    let other = try train(
      "user",
      user(
        "{use: mlp, with: {latent: 6, hidden: [20]}}",
        more:
          "decoder: {from: \(path("decoder")), frozen: true}\nclassifier: {from: \(path("classifier")), frozen: true}"))
    #expect(try weights(run, "decoder") == weights(other, "decoder"))
    #expect(try weights(run, "classifier") == weights(other, "classifier"))
    func refusal(_ slot: Slot) -> String {
      do { _ = try PartExport(slot, of: run.session, named: "source") } catch { return "\(error)" }
      return "none"
    }
    #expect(
      refusal(.prior)
        == "prior 'standard-normal' has no weights, expected one of the run's parts that have: encoder, decoder, classifier"
    )
    #expect(refusal(.discriminator).hasPrefix("the run has no discriminator, expected one of its parts with weights"))
  }

  @Test func whatDoesNotFitIsRefusedInASentence() throws {
    _ = try export(.encoder, as: "part")
    _ = try export(.decoder, as: "decoder")
    _ = try export(.classifier, as: "classifier")
    let frozen = "{from: \(path("part")), frozen: true}"
    #expect(
      problem(user(frozen, data: "embedded: true, limit: 200, pad: 2")).hasPrefix(
        "encoder 'mlp' from part reads inputs of shape [1, 28, 28], and the data have [1, 32, 32]"))
    #expect(
      problem(user(frozen, data: "embedded: true, limit: 200, range: symmetric")).hasPrefix(
        "encoder 'mlp' from part reads values from 0.0 to 1.0, and the data have them from -1.0 to 1.0"))
    #expect(
      problem(user("mlp", more: "decoder: {from: \(path("decoder"))}"))
        == "decoder 'mlp' from decoder takes latents of 6 values, and the encoder makes 40; set encoder.latent to 6")
    #expect(
      problem(
        user(
          "{use: mlp, with: {latent: 6}}", data: "embedded: true, limit: 200, holdOut: [3]",
          more: "classifier: {from: \(path("classifier"))}")
      ).contains("knows 10 classes, and the data have 9"))
    #expect(problem(user("{from: \(path("nothing"))}")).contains("there is no part in nothing: it has no part.json"))
    #expect(
      problem(user("{from: \(path("decoder"))}")).contains("the part in decoder is a decoder, expected an encoder"))
    #expect(
      problem(user("{from: \(path("part")), with: {latent: 9}}")).contains(
        "the part in part has encoder.latent 6, found 9; its settings cannot change"))
    #expect(problem(user("{use: mlp, frozen: true}")).contains("there is no 'from'"))
    #expect(problem(user(frozen)) == "none")
  }

  @Test func aPartThatChangedIsNoticed() throws {
    _ = try export(.encoder, as: "part")
    let run = try train("user", user("{from: \(path("part"))}"))
    let resolved = try Recipe.read(run.folder.recipe).recipe.yaml()
    let file = URL(fileURLWithPath: path("part")).appendingPathComponent("weights.safetensors")
    let whole = try Data(contentsOf: file)
    var damaged = whole
    damaged[damaged.count - 1] ^= 1
    try damaged.write(to: file)
    #expect(problem(resolved).contains("the part in part is damaged: weights.safetensors is not the file"))
    try whole.write(to: file)
    #expect(problem(resolved) == "none")
    // Another part in the same place: the recipe's checksum is not its.
    try FileManager.default.removeItem(atPath: path("part"))
    try PartExport(.encoder, of: run.session, named: "user").write(to: URL(fileURLWithPath: path("part")))
    #expect(problem(resolved).contains("the part in part has changed: found the checksum"))
    #expect(problem(user("{from: \(path("part"))}")) == "none")
  }

  /// A folder that is taken for the first time has no checksum in a recipe yet.
  @Test func aFolderIsCheckedAgainstItsOwnChecksums() throws {
    _ = try export(.encoder, as: "part")
    let folder = URL(fileURLWithPath: path("part"))
    func problem(changing name: String, _ change: (String) -> String?) throws -> String {
      let file = folder.appendingPathComponent(name)
      let whole = try Data(contentsOf: file)
      defer { try? whole.write(to: file) }
      if let changed = change(String(decoding: whole, as: UTF8.self)) {
        try Data(changed.utf8).write(to: file)
      } else {
        try FileManager.default.removeItem(at: file)
      }
      return self.problem(user("{from: \(path("part"))}"))
    }
    let damaged = "the part in part is damaged: part.json is not the file that was exported; copy it again"
    for (old, new) in [
      ("\"count\" : 10", "\"count\" : -3"), ("\"latent\" : 6", "\"latent\" : 1e9"),
      ("\"plugin\" : \"Baseline\"", "\"plugin\" : \"CSAE\""), ("0.1.0", "0.0.9"),
    ] {
      let found = try problem(changing: "part.json") { $0.replacing(old, with: new) }
      #expect(found.hasSuffix(damaged), "\(found)")
    }
    #expect(try problem(changing: "recipe.yaml") { $0 + "#" }.contains("recipe.yaml is not the file that was exported"))
    for name in ["weights.safetensors", "examples.safetensors", "SHA256SUMS"] {
      let found = try problem(changing: name) { _ in nil }
      #expect(found.contains("the part in part has no \(name); copy the whole folder again"), "\(found)")
    }
    #expect(try problem(changing: "part.json") { String($0.dropLast(40)) }.contains("does not describe a part"))
    #expect(try problem(changing: "SHA256SUMS") { _ in "nothing" }.hasSuffix(damaged))
    #expect(self.problem(user("{from: \(path("part"))}")) == "none")
  }

  @Test func aPartOfANewerVersionIsRefused() throws {
    _ = try export(.encoder, as: "part")
    let file = URL(fileURLWithPath: path("part")).appendingPathComponent("part.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let sums = URL(fileURLWithPath: path("part")).appendingPathComponent("SHA256SUMS")
    // With its checksum, as one who writes such a file has it.
    func problem(_ old: String, _ new: String) throws -> String {
      let changed = text.replacing(old, with: new)
      #expect(changed != text, "\(old)")
      try Data(changed.utf8).write(to: file)
      let digits = try Checksum(.sha256, of: file).digits
      let list = try String(contentsOf: sums, encoding: .utf8)
      try Data(list.replacing(/[0-9a-f]{64}(?=  part.json)/, with: digits).utf8).write(to: sums)
      return self.problem(user("{from: \(path("part"))}"))
    }
    #expect(
      try problem("\"latentkit\" : \"0.1.0\"", "\"latentkit\" : \"7.0.0\"").contains(
        "is from LatentKit 7.0.0, and this is"))
    #expect(try problem("latentkit-part-1", "latentkit-part-2").contains("has the format 'latentkit-part-2', expected"))
    #expect(
      try problem("\"plugin\"", "\"plug\"").contains(
        "part.json is damaged: found no 'plugin'; export the part again"))
    #expect(
      try problem("\"count\" : 10", "\"count\" : \"ten\"").contains(
        "'classes.count' has a value of another kind than expected; export"))
    #expect(try problem("\"count\" : 10", "\"count\" : -3").contains("found classes.count -3, expected 1 to 1000000"))
    #expect(
      try problem("\"latent\" : 6,\n  \"makes\"", "\"latent\" : 1e9,\n  \"makes\"").contains(
        "found latent 1000000000, expected 1 to 1000000"))
    #expect(try problem("\"padding\" : 0", "\"padding\" : -2").contains("found padding -2 of inputs, expected 0 to"))
    #expect(
      try problem("\"slot\" : \"encoder\"", "\"slot\" : \"metric\"").contains(
        "found the slot 'metric', expected one of"))
    #expect(try problem("\"role\" : \"weight\"", "\"role\" : \"wait\"").contains("found the role 'wait' of"))
    #expect(
      try problem("\"plugin\" : \"Baseline\"", "\"plugin\" : \"CSAE\"").contains(
        "the part in part is encoder 'mlp' of plugin CSAE, and this program's is of plugin Baseline; build a host with the other one"
      ))
    #expect(try problem("\"range\" : [", "\"range\" : [ 9,").contains("expected the least and the greatest value"))
    #expect(try problem("\"use\" : \"mlp\"", "\"use\" : \"mystery\"").contains("which this program does not have"))
  }
}
