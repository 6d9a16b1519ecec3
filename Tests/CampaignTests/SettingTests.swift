import Foundation
import LatentKit
import Recipes
import Testing

@testable import HostKit
@testable import fuzz

@Suite(.serialized) struct Settings {
  /// What the program would print, and whether it failed.
  private func message(_ arguments: [String]) -> String {
    let console = Console(output: { _ in }, errors: { _ in })
    do { try Host(plugins: plugins, console: console).run(arguments) } catch {
      return HostCommand.fullMessage(for: error)
    }
    return ""
  }

  @Test func everyNumberOfASettingHasARange() {
    let without = Slot.all.flatMap { slot in
      catalog.descriptions(of: slot).flatMap { part in
        part.settings.compactMap { setting -> String? in
          switch setting.fallback {
          case .int, .double: setting.range == nil ? "\(slot.name) \(part.name) \(setting.name)" : nil
          default: nil
          }
        }
      }
    }
    #expect(without.isEmpty)
  }

  /// Refused when a recipe is resolved, which is before anything is read or written, by the setting's name and its range.
  @Test func everySettingRefusesWhatIsOutOfItsRange() throws {
    let cases = SettingCase.refused
    #expect(cases.count > 500)
    for tried in cases {
      let rest = tried.part.slot == .encoder ? "" : "encoder: mlp\n"
      var found = ""
      do {
        _ = try Composer(catalog).resolve(Recipe.read(yaml: tried.recipe(over: rest), file: "recipe.yaml"))
      } catch { found = "\(error)" }
      #expect(isRefusal(found, of: tried), "\(tried): \(found.prefix(600))")
    }
  }

  private func isRefusal(_ found: String, of tried: SettingCase) -> Bool {
    // What is of another kind, or too large for Float32, is refused before the range is looked at.
    let reason =
      found.contains(tried.setting.allowed ?? "expected ")
      || !tried.isOfTheSettingsKind && (found.contains("expected ") || found.contains("there is no value"))
    return found.contains(tried.setting.name) && found.contains("found ") && reason && found.utf8.count < 3000
  }

  @Test(arguments: [
    ("optimizer: {use: adam, with: {epsilon: -1}}", "epsilon"),
    ("optimizer: {use: adam, with: {epsilon: 1e300}}", "epsilon"),
    ("optimizer: {use: sgd, with: {momentum: 1.5}}", "momentum"),
    ("optimizer: {use: sgd, with: {learningRate: 1e300}}", "Rate"),
    ("schedule: {use: cosine, with: {warmUp: 1e300}}", "warmUp"), ("clip: 1e-320", "clip"), ("clip: 0", "clip"),
  ])
  func whatOnceTrainedToSuccessIsRefusedByTheProgram(step: String, name: String) throws {
    let scratch = try Scratch()
    try scratch.write("encoder: mlp\nstages: [{epochs: 1, losses: [mse], \(step)}]\n", to: "recipe.yaml")
    let found = message(["train", scratch.at("recipe.yaml").path, "--runs", scratch.at("runs").path])
    #expect(found.contains(name) && found.contains("found ") && found.contains("expected "), "\(found)")
    #expect(!FileManager.default.fileExists(atPath: scratch.at("runs").path))
  }

  /// The ends of a range train, or are refused in a sentence; what takes long has been announced.
  @Test(arguments: chosen)
  func theEndsOfARangeTrainOrAreRefused(_ tried: SettingCase) throws {
    let scratch = try Scratch()
    guard let arguments = try Settings.arguments(for: tried, in: scratch) else { return }
    // Four GiB for each program, and half a minute of a processor.
    let script = "ulimit -d 4194304 -t 30; exec \"$0\" \"$@\""
    let ending = try scratch.run(
      "/bin/sh",
      [
        "-c", script, Program.path("host"), "compose", "--per-class", "2", "--name", "run", "--runs",
        scratch.at("runs").path,
      ]
        + arguments)
    let isLong = ending.signal == SIGXCPU || ending.signal == SIGKILL
    #expect(
      ending.isGood || ending.isRefusal || isLong && ending.text.contains("takes"),
      "\(tried), signal \(ending.signal ?? 0), status \(ending.status): \(ending.text.suffix(2000))")
  }

  private static let chosen: [SettingCase] = {
    var noise = Noise(campaignSeed, "settings")
    let all = SettingCase.extreme
    return isFull ? all : Array(all.shuffled(using: &noise).prefix(6))
  }()

  /// A small run that has the part, in a recipe of its own or in place of another's; nil where none takes its default.
  private static func arguments(for tried: SettingCase, in scratch: Scratch) throws -> [String]? {
    let usual = SettingCase(part: tried.part, setting: tried.setting, value: tried.setting.fallback)
    let size = ["--epochs", "1", "--batch", "8", "--threads", "1", "--device", "cpu"]
    let slot = tried.part.slot
    if slot == .data {
      // Sets that do not ship with the package are read by the fuzzer.
      let base = "encoder: mlp\n"
      try scratch.write(tried.recipe(over: base), to: "recipe.yaml")
      return [scratch.at("recipe.yaml").path] + size
    }
    let rows = ["--data", "table", "--set", "data.path=\(try table(in: scratch).path)"]
    let digits = ["--data", "mnist", "--set", "data.embedded=true", "--set", "data.limit=40"]
    let labels = [
      "", "classifier: mlp\n", "decoder: mlp\n", "prior: pedcc\n", "prior: kde\n",
      "encoder: {use: mlp, with: {code: gaussian}}\n",
    ]
    for data in [rows, digits] {
      for extra in labels where !extra.hasPrefix(slot.name + ":") {
        let base = extra + (extra.hasPrefix("encoder") || slot == .encoder ? "" : "encoder: mlp\n")
        try scratch.write(usual.recipe(over: base), to: "recipe.yaml")
        let arguments = [scratch.at("recipe.yaml").path] + data + size
        guard try scratch.host(["train", "--dry-run"] + arguments).isGood else { continue }
        try scratch.write(tried.recipe(over: base), to: "recipe.yaml")
        return arguments
      }
    }
    Issue.record("no small run has \(slot.name) \(tried.part.name)")
    return nil
  }
}
