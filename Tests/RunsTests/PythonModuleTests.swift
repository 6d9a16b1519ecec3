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

  // MARK: Preparation of inputs

  /// A model of a table with missing values, a column of one value, and a name that needs care in Python.
  private func session(transforms: String) throws -> Session {
    let table = scratch.url.appendingPathComponent("table-\(UUID().uuidString).csv")
    let lines = (0..<40).map { row in
      let values = [3 * sin(Double(row)), 100 + Double(row), 7, exp(cos(Double(row)) * 3)]
      let cells = values.enumerated().map { column, value in
        (row + column) % 9 == 0 && column != 2 ? "" : "\(value)"
      }
      return (cells + [row % 2 == 0 ? "even" : "odd"]).joined(separator: ",")
    }
    try ([#"gene 1,"a \ ""b"" ""\""",c,d,label"#] + lines).joined(separator: "\n").write(
      to: table, atomically: true, encoding: .utf8)
    let recipe = try Recipe.read(
      yaml: """
        data: {use: table, with: {path: '\(table.path)', missing: keep}}
        transforms: \(transforms)
        encoder: {use: mlp, with: {latent: 3, hidden: [8]}}
        decoder: {use: mlp, with: {hidden: [8], output: none}}
        stages: [{epochs: 1, batch: 8, losses: [mse]}]
        """, file: "test.yaml")
    return try Session(recipe, catalog: catalog)
  }

  /// Exports a part, and returns its folder.
  private func folder(_ slot: Slot, of session: Session) throws -> URL {
    let folder = scratch.url.appendingPathComponent("part-\(UUID().uuidString)")
    try PartExport(slot, of: session, named: "a test's").write(to: folder)
    return folder
  }

  @Test func theFileSaysWhatRowsAre() throws {
    let session = try session(transforms: "[impute, {use: min-max, with: {high: 2}}]")
    let folder = try folder(.encoder, of: session)
    let text = try String(contentsOf: folder.appendingPathComponent("part.py"), encoding: .utf8)
    #expect(text.contains("Inputs are rows of 4 numbers after the transforms impute {"), "\(text)")
    #expect(text.contains(", then min-max {"), "\(text)")
    #expect(text.contains(#"    gene 1, a \\ 'b' '\\', c, d"#), "\(text)")
    #expect(text.contains("inputs = prepare(rows)"))
    let json = try JSONDecoder().decode(
      SharedPart.self, from: Data(contentsOf: folder.appendingPathComponent("part.json")))
    #expect(json.inputs.columns == ["gene 1", #"a \ "b" "\""#, "c", "d"])
    // A decoder makes such rows, and takes none.
    let decoder = try String(
      contentsOf: self.folder(.decoder, of: session).appendingPathComponent("part.py"), encoding: .utf8)
    #expect(decoder.contains("Outputs are rows of 4 numbers after the transforms impute"))
    #expect(!decoder.contains("def prepare"))
  }

  @Test func aTransformThatCannotBeWrittenDownIsSaid() throws {
    struct ByLargest: Transform, FittedTransform {
      var parameters: [String: Tensor] { [:] }
      func fit(_ inputs: Tensor) -> any FittedTransform { self }
      func restore(_ parameters: FittedParameters) -> any FittedTransform { self }
      func apply(_ inputs: Tensor) throws -> Tensor { try inputs / inputs.max().item() }
      func invert(_ outputs: Tensor) -> Tensor { outputs }
    }
    let made = Case(slot: .encoder, choice: "mlp", shape: [3])
    let folder = scratch.url.appendingPathComponent("by-largest")
    try PartExport(
      .encoder, of: made.composition(catalog), catalog, columns: ["a", "b", "c"],
      transforms: TransformChain([("by-largest", ByLargest())], fittedOn: .ones([2, 3])), named: "a test's"
    ).write(to: folder)
    let text = try String(contentsOf: folder.appendingPathComponent("part.py"), encoding: .utf8)
    #expect(text.contains("    a, b, c\n\nThe file cannot repeat these transforms: recording: the operations"))
    #expect(!text.contains("prepare"))
  }

  /// Runs Python with `folder` as its first argument, where `part` can be imported.
  private func expectTrue(_ script: String, in folder: URL, _ tensors: [String: Tensor]) throws {
    let values = scratch.url.appendingPathComponent("\(UUID().uuidString).safetensors")
    try Safetensors.write(tensors, to: values)
    let start = """
      import sys, torch
      from safetensors.torch import load_file
      sys.path.insert(0, sys.argv[1])
      values = load_file(sys.argv[2])
      import part

      """
    let (status, output) = try run(#require(python) + ["-c", start + script, folder.path, values.path])
    #expect(status == 0, "\(output)")
  }

  @Test(
    .enabled(if: python != nil, needsTorch),
    arguments: [
      "[impute]", "[{use: impute, with: {method: mean}}, center, scale]",
      "[{use: impute, with: {method: zero}}, log1p, {use: min-max, with: {low: -1}}]",
      "[{use: log1p, with: {fidelity: author-code}}, impute, scale, min-max, center]",
    ]) func rowsArePreparedAsTheRunDoes(transforms: String) throws
  {
    let session = try session(transforms: transforms)
    // Also beyond the values of training.
    let rows = try Tensor(
      [0.5, 120, 7, 3, .nan, -5, 9, .nan, -40, .nan, .nan, 1000, 0, 0, 0, 0] as [Float], shape: [4, 4])
    try expectTrue(
      """
      found, expected = part.prepare(values["rows"]), values["expected"]
      assert found.dtype == torch.float32 and found.shape == expected.shape
      assert torch.isfinite(expected).all()
      assert ((found - expected).abs() <= 1e-6 * expected.abs().clamp(min=1)).all(), (found, expected)
      assert torch.equal(part.prepare(values["rows"].numpy()[:1]), found[:1])
      assert part.COLUMNS[0] == "gene 1" and len(part.COLUMNS) == 4
      assert part.Encoder()(found)[0].shape[-1] == 3
      try:
          part.prepare(values["rows"][:, :3])
      except ValueError as error:
          assert "expected [batch, 4]" in str(error)
      else:
          raise AssertionError("three columns are taken")
      """, in: folder(.encoder, of: session), ["rows": rows, "expected": session.transforms.apply(rows)])
  }

  @Test(.enabled(if: python != nil, needsTorch)) func aMissingValueThatNothingFillsInIsRefused() throws {
    let table = scratch.url.appendingPathComponent("whole.csv")
    let lines = (0..<20).map { "\($0),\($0 * $0),\($0 % 2)" }
    try (["a,b,label"] + lines).joined(separator: "\n").write(to: table, atomically: true, encoding: .utf8)
    let recipe = try Recipe.read(
      yaml: """
        data: {use: table, with: {path: '\(table.path)'}}
        encoder: {use: mlp, with: {latent: 2, hidden: [4]}}
        stages: [{epochs: 1, batch: 4, losses: [mse]}]
        """, file: "test.yaml")
    let rows = try Tensor([1, 2] as [Float], shape: [1, 2])
    try expectTrue(
      """
      assert torch.equal(part.prepare(values["rows"]), values["rows"])
      try:
          part.prepare(values["rows"] * float("nan"))
      except ValueError as error:
          assert "missing" in str(error)
      else:
          raise AssertionError("a missing value is taken")
      """, in: folder(.encoder, of: Session(recipe, catalog: catalog)), ["rows": rows])
  }

  @Test(.enabled(if: python != nil, needsTorch), arguments: ["unit", "symmetric"])
  func imagesArePreparedAsTheRunDoes(range: String) throws {
    let recipe = try Recipe.read(
      yaml: """
        data: {use: mnist, with: {embedded: true, limit: 100, pad: 2, range: \(range)}}
        encoder: {use: mlp, with: {latent: 3, hidden: [8]}}
        stages: [{epochs: 1, batch: 8, losses: [mse]}]
        """, file: "test.yaml")
    let session = try Session(recipe, catalog: catalog)
    let folder = try folder(.encoder, of: session)
    let text = try String(contentsOf: folder.appendingPathComponent("part.py"), encoding: .utf8)
    let least = range == "unit" ? "0.0" : "-1.0"
    #expect(
      text.contains("Inputs are images [batch, 1, 32, 32] with values from \(least) to 1.0: bytes [batch, 1, 28, 28]"))
    #expect(text.contains("2 pixels of 0 on each side"))
    try expectTrue(
      """
      found, expected = part.prepare(values["pixels"]), values["expected"]
      assert found.shape == expected.shape and (found - expected).abs().max() <= 1e-6
      """, in: folder,
      [
        "pixels": session.test.examples.slice(0..<5).inputs, "expected": session.test.batch(0..<5).inputs.contiguous(),
      ])
  }
}
