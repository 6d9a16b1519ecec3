import Foundation
import LatentKit
import Recipes
import Testing

@testable import Runs

private let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

private func run(_ command: [String]) throws -> (status: Int32, output: String) {
  let (process, pipe) = (Process(), Pipe())
  process.executableURL = URL(fileURLWithPath: command[0])
  process.arguments = Array(command.dropFirst())
  (process.standardOutput, process.standardError) = (pipe, pipe)
  try process.run()
  let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// A Python that has torch and safetensors: the package's own, or the machine's; nil where neither has.
private let python: [String]? = [
  [package.appendingPathComponent(".venv/bin/python").path], ["/usr/bin/env", "python3"],
]
.first { (try? run($0 + ["-c", "import torch, safetensors"]))?.status == 0 }

private let needsTorch: Comment =
  "no Python with torch and safetensors here; 'Scripts/bootstrap --dev' puts them into .venv"

/// A part of the catalog with some settings, and data for it.
private struct Case: CustomStringConvertible {
  let slot: Slot
  let choice: PartChoice
  let shape: [Int]

  var description: String { "\(slot.name) \(choice.use) \(Value.object(choice.with).text) \(shape)" }

  func composition(_ catalog: Catalog) throws -> Composition {
    var recipe = Recipe()
    recipe[.encoder] = PartChoice("mlp", with: ["latent": 12, "hidden": [16]])
    recipe[.prior] = "standard-normal"
    recipe[.sampler] = "prior"
    recipe[.noise] = "none"
    recipe[.decoder] = slot == .decoder ? "mlp" : "none"
    recipe[all: .metric] = []
    recipe[slot] = choice
    let loss: PartChoice = slot == .decoder ? "mse" : "kl"
    // A classifier may have no weights of its own.
    var step = Step(train: [slot == .classifier ? "encoder" : slot.name], losses: [loss])
    step.isComplete = true
    recipe.stages = [Recipe.Stage(epochs: 1, batch: 4, steps: [step])]
    let data = DataShape(
      title: "data 'made'", inputShape: shape, inputRange: shape.count == 3 ? -1...1 : nil, classCount: 7)
    let composition = try Composer(catalog).compose(recipe, for: data)
    // Other statistics than those of a part that was never trained. Means stay small: larger ones would leave no unit of a
    // rectified layer above zero, and outputs that hardly depend on the weights.
    var generator = try Generator(seed: 3)
    for parameter in composition.store.parameters {
      let noise = try generator.uniform(parameter.tensor.shape)
      try parameter.tensor.copyInPlace(
        parameter.name.hasSuffix("Variance") ? noise + 0.5 : parameter.tensor.detached() + (noise - 0.5) * 0.1)
    }
    return composition
  }
}

/// Every encoder, decoder, classifier and discriminator of all plugins: with its defaults, with each other value of settings that
/// have a few, and on images and rows.
private func cases(_ catalog: Catalog) throws -> [Case] {
  var cases: [Case] = []
  for slot in [Slot.encoder, .decoder, .classifier, .discriminator] {
    for part in catalog.descriptions(of: slot) {
      var choices: [[String: Value]] = [[:]]
      for setting in part.settings {
        for choice in setting.choices ?? [] where setting.fallback != .string(choice) {
          choices.append([setting.name: .string(choice)])
        }
        if case .bool(let flag) = setting.fallback { choices.append([setting.name: .bool(!flag)]) }
      }
      for with in choices {
        for shape in with.isEmpty ? [[3, 32, 32], [1, 16, 16], [13]] : [[1, 32, 32]] {
          let made = Case(slot: slot, choice: PartChoice(part.name, with: with), shape: shape)
          let composition = Result { try made.composition(catalog) }
          // Without weights there is nothing to export.
          if let made = try? composition.get(), !made.store.parameters.contains(where: { $0.name.hasPrefix(slot.name) })
          {
            continue
          }
          // Not every part is for rows, or for images of any size.
          if shape == [3, 32, 32] || !with.isEmpty || (try? composition.get()) != nil { cases.append(made) }
        }
      }
    }
  }
  return cases
}

@Suite struct PythonModules {
  private let catalog: Catalog
  private let scratch: Scratch

  init() throws {
    catalog = try Catalog(plugins)
    scratch = try Scratch()
  }

  /// Exports the cases, and returns their folders.
  private func folders(_ cases: [Case]) throws -> [String] {
    var folders: [String] = []
    for (number, made) in cases.enumerated() {
      let folder = scratch.url.appendingPathComponent("\(number)-\(made.slot.name)-\(made.choice.use)")
      let export = try PartExport(made.slot, of: made.composition(catalog), catalog, named: "a test's")
      #expect(export.part.withoutPython == nil, "\(made)")
      try export.write(to: folder)
      #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("part.py").path), "\(made)")
      folders.append(folder.path)
    }
    return folders
  }

  /// Fails for a part that somebody adds and that has no form in Python.
  @Test func everyNetworkHasAPythonForm() throws {
    let all = try cases(catalog)
    for slot in [Slot.encoder, .decoder, .classifier, .discriminator] {
      let names = Set(all.filter { $0.slot == slot }.map(\.choice.use))
      let withoutWeights: Set = slot == .classifier ? ["m2"] : []
      #expect(names == Set(catalog.descriptions(of: slot).map(\.name)).subtracting(withoutWeights))
    }
    _ = try folders(all.filter(\.choice.with.isEmpty))
  }

  @Test(.enabled(if: python != nil, needsTorch)) func everyNetworkMakesTheSameOutputsInPyTorch() throws {
    let folders = try folders(cases(catalog))
    let script = """
      import runpy, sys
      for folder in sys.argv[1:]:
          try:
              runpy.run_path(folder + "/part.py", run_name="__main__")
          except SystemExit as end:
              print("FAILED" if end.code else "same", folder)
          except Exception as error:
              print("FAILED", folder, repr(error))
      """
    let (status, output) = try run(#require(python) + ["-c", script] + folders)
    let lines = output.split(separator: "\n")
    #expect(status == 0, "\(output)")
    for line in lines where line.hasPrefix("FAILED") { Issue.record("\(line)") }
    #expect(lines.count { $0.hasPrefix("same") } == folders.count, "\(output)")
  }

  @Test(.enabled(if: python != nil, needsTorch)) func aChangedWeightIsFoundInPyTorch() throws {
    let made = Case(slot: .encoder, choice: "conv", shape: [1, 32, 32])
    let folder = try #require(folders([made]).first)
    let url = URL(fileURLWithPath: folder).appendingPathComponent("weights.safetensors")
    var tensors = try Safetensors.read(url).tensors
    let name = try #require(tensors.keys.filter { $0.hasSuffix("runningMean") }.min())
    tensors[name] = try #require(tensors[name]) + 0.1
    try Safetensors.write(tensors, to: url)
    let (status, output) = try run(#require(python) + [folder + "/part.py"])
    #expect(status == 1 && output.hasPrefix("largest difference"), "\(output)")
  }

  /// A module of PyTorch: its parameters can be trained, its batches have any size.
  @Test(.enabled(if: python != nil, needsTorch)) func theModuleTakesBatchesOfAnySizeAndTrains() throws {
    let folder = try #require(folders([Case(slot: .decoder, choice: "deconv", shape: [1, 32, 32])]).first)
    let script = """
      import sys, torch
      sys.path.insert(0, sys.argv[1])
      from part import Decoder
      decoder = Decoder()
      assert decoder(torch.randn(1, 12)).shape == (1, 1, 32, 32)
      made = decoder(torch.randn(33, 12))
      made.sum().backward()
      names = dict(decoder.named_parameters())
      assert all(p.grad is not None for p in names.values()), names.keys()
      assert "block1.conv.weight" in names and "block1.norm.runningMean" in dict(decoder.named_buffers())
      """
    let (status, output) = try run(#require(python) + ["-c", script, folder])
    #expect(status == 0, "\(output)")
  }
}
