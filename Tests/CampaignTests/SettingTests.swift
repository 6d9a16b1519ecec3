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

  /// The ends of a range train, or are refused in a sentence; what takes long has been announced. Parts that no small run
  /// has, such as those that need another run, are passed over and named.
  @Test func theEndsOfARangeTrainOrAreRefused() throws {
    var noise = Noise(campaignSeed, "settings")
    let cases = SettingCase.extreme.shuffled(using: &noise)
    let wanted = isFull ? cases.count : 4
    var tried = 0
    var left: Set<String> = []
    for one in cases where tried < wanted {
      let scratch = try Scratch()
      guard let arguments = try Settings.arguments(for: one, in: scratch) else {
        left.insert("\(one.part.slot.name) \(one.part.name)")
        continue
      }
      tried += 1
      // Four GiB for each program, and two minutes of a processor.
      let script = "ulimit -d 4194304 && ulimit -t 120 && exec \"$0\" \"$@\""
      let target = ["--per-class", "2", "--name", "run", "--runs", scratch.at("runs").path]
      let ending = try scratch.run("/bin/sh", ["-c", script, Program.path("host"), "compose"] + target + arguments)
      let isLong = ending.signal == SIGXCPU || ending.signal == SIGKILL
      #expect(
        ending.isGood || ending.isRefusal || isLong && ending.text.contains(/\stakes?\s/),
        "\(one), signal \(ending.signal ?? 0), status \(ending.status): \(ending.text.suffix(2000))")
    }
    #expect(tried >= 4)
    if !left.isEmpty { print("passed over: \(left.sorted().joined(separator: ", "))") }
  }

  /// A small run that has the part; nil where none takes it as it is by default.
  private static func arguments(for tried: SettingCase, in scratch: Scratch) throws -> [String]? {
    let usual = SettingCase(part: tried.part, setting: tried.setting, value: tried.setting.fallback)
    let size = ["--epochs", "1", "--batch", "8", "--threads", "1", "--device", "cpu"]
    let slot = tried.part.slot
    let rows = ["--data", "table", "--set", "data.path=\(try table(in: scratch).path)"]
    let digits = ["--data", "mnist", "--set", "data.embedded=true", "--set", "data.limit=40"]
    let bases = [
      "", "classifier: mlp\n", "decoder: mlp\n", "prior: pedcc\n", "prior: kde\n", "discriminator: mlp\n",
      "encoder: {use: mlp, with: {code: gaussian}}\n", "encoder: conv\n",
    ]
    // What a set of data is read by is the fuzzer's.
    for data in slot == .data ? [[]] : [rows, digits, digits + ["--set", "data.pad=2"]] {
      for extra in bases where !extra.hasPrefix(slot.name + ":") {
        let base = extra + (extra.hasPrefix("encoder") || slot == .encoder ? "" : "encoder: mlp\n")
        try scratch.write(usual.recipe(over: base), to: "recipe.yaml")
        let arguments = [scratch.at("recipe.yaml").path] + data + size
        guard try scratch.host(["train", "--dry-run"] + arguments).isGood else { continue }
        try scratch.write(tried.recipe(over: base), to: "recipe.yaml")
        return arguments
      }
    }
    return nil
  }
}
