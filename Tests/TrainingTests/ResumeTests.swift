import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// Dropout, latent noise, momentum, batch order and running sums.
private let yaml = """
  seed: 5
  data: mnist
  encoder: {use: mlp, with: {latent: 12, hidden: [16]}}
  decoder: {use: mlp, with: {hidden: [16]}}
  classifier: {use: mlp, with: {hidden: [8], dropout: 0.3}}
  prior: pedcc
  stages:
    - name: first
      epochs: 2
      batch: 64
      train: [encoder, decoder, classifier]
      losses: [centroid, mse, {use: cross-entropy, weight: 0.5}]
      optimizer: adam
      schedule: cosine
    - name: second
      epochs: 2
      batch: 50
      examples: 150
      steps:
        - {train: [decoder], losses: [mse], optimizer: {use: sgd, with: {learningRate: 0.05}}}
        - {train: [classifier], repeat: 2, losses: [cross-entropy], optimizer: adamw, clip: 1}
  """

@Suite struct Resuming {
  /// The whole run, with a copy of its folder made after every iteration: what a kill at that moment leaves.
  private func wholeRun(
    _ scratch: Scratch, _ recipe: String = yaml, data: () throws -> TrainingData = { try digits() },
    secondsBetweenCheckpoints: Double
  ) throws -> (Composition, RunFolder, [RunFolder]) {
    let composition = try compose(recipe)
    let (folder, copies) = try scratch.trained(
      composition, data(), secondsBetweenCheckpoints: secondsBetweenCheckpoints)
    return (composition, folder, copies)
  }

  @Test(arguments: [0.0, 1000.0])
  func aRunKilledAtAnyIterationEndsWithTheSameBits(secondsBetweenCheckpoints: Double) throws {
    let scratch = try Scratch()
    let (whole, folder, copies) = try wholeRun(scratch, secondsBetweenCheckpoints: secondsBetweenCheckpoints)
    let expected = try weights(whole)
    let log = try timeless(folder)
    #expect(log.count == 4)
    #expect(copies.count >= 12)
    for copy in copies {
      let composition = try compose(yaml)
      let trainer = try Trainer(composition, data: digits(), folder: copy, shouldStop: { false })
      #expect(try trainer.run(resuming: true) == .finished)
      #expect(try weights(composition) == expected)
      #expect(try timeless(copy) == log)
    }
  }

  @Test(arguments: [SparseRecipe.float32, SparseRecipe.annealed, SparseRecipe.half, SparseRecipe.scaled])
  func aRunThatMasksAndRewindsEndsWithTheSameBitsToo(recipe: String)
    throws
  {
    #expect(SparseRecipe.annealed != SparseRecipe.float32)
    let scratch = try Scratch()
    let (whole, folder, copies) = try wholeRun(
      scratch, recipe, data: SparseRecipe.augmented, secondsBetweenCheckpoints: 0)
    let expected = try weights(whole)
    #expect(copies.count >= 10)
    for copy in copies {
      let composition = try compose(recipe)
      let trainer = try Trainer(composition, data: SparseRecipe.augmented(), folder: copy, shouldStop: { false })
      #expect(try trainer.run(resuming: true) == .finished)
      #expect(try weights(composition) == expected)
      #expect(try timeless(copy) == timeless(folder))
    }
  }

  @Test func aWishToStopIsGrantedAtOnceAndLosesNothing() throws {
    let scratch = try Scratch()
    let (whole, folder, _) = try wholeRun(scratch, secondsBetweenCheckpoints: 1000)
    let stopped = try scratch.run("stopped")
    var rounds = 0
    // Stops after every second iteration and goes on with a new program each time.
    while true {
      var iterations = 0
      let composition = try compose(yaml)
      let trainer = try Trainer(
        composition, data: digits(), folder: stopped,
        shouldStop: {
          iterations += 1
          return iterations == 2
        })
      let outcome = try trainer.run(resuming: rounds > 0)
      rounds += 1
      if outcome == .finished {
        #expect(try weights(composition) == weights(whole))
        break
      }
      try #require(rounds < 50)
    }
    #expect(rounds >= 4)
    #expect(try timeless(stopped) == timeless(folder))
  }

  @Test func aFinishedRunResumesToItself() throws {
    let scratch = try Scratch()
    let (whole, folder, _) = try wholeRun(scratch, secondsBetweenCheckpoints: 1000)
    let composition = try compose(yaml)
    #expect(try Trainer(composition, data: digits(), folder: folder).run(resuming: true) == .finished)
    #expect(try weights(composition) == weights(whole))
  }

  @Test func theSameSeedGivesTheSameBitsAndAnotherOneDoesNot() throws {
    let scratch = try Scratch()
    func run(_ name: String, seed: Int) throws -> [String: Data] {
      let composition = try compose(yaml.replacingOccurrences(of: "seed: 5", with: "seed: \(seed)"))
      _ = try Trainer(composition, data: digits(), folder: scratch.run(name), shouldStop: { false }).run()
      return try weights(composition)
    }
    let first = try run("a", seed: 5)
    #expect(try run("b", seed: 5) == first)
    #expect(try run("c", seed: 6) != first)
  }

  @Test func theCheckpointOfAnotherRecipeIsRefused() throws {
    let scratch = try Scratch()
    let (_, folder, _) = try wholeRun(scratch, secondsBetweenCheckpoints: 1000)
    let other = try compose(yaml.replacingOccurrences(of: "latent: 12", with: "latent: 13"))
    #expect {
      _ = try Checkpoint.load(other, from: folder.checkpoint)
    } throws: { "\($0)".contains("belongs to another recipe") }
  }

  @Test func impossiblePositionsAreRefused() throws {
    let scratch = try Scratch()
    let (_, folder, copies) = try wholeRun(scratch, secondsBetweenCheckpoints: 0)
    // In the middle of the second stage, with extra batches and sums.
    let copy = try #require(
      try copies.last { try Checkpoint.read($0.checkpoint).position.iteration > 0 })
    let good = try Checkpoint.read(copy.checkpoint)
    #expect(good.position.stage == 1 && good.position.extraBatches > 0 && !good.position.counts.isEmpty)
    func refusal(_ change: (inout Checkpoint.Position) -> Void, at place: RunFolder = copy) throws -> String {
      var bad = try Checkpoint.read(place.checkpoint)
      let url = scratch.url.appendingPathComponent("bad-\(UUID().uuidString)")
      try FileManager.default.copyItem(at: place.url, to: url)
      change(&bad.position)
      try bad.write(to: RunFolder(url).checkpoint)
      do {
        _ = try Trainer(compose(yaml), data: digits(), folder: RunFolder(url), shouldStop: { true }).run(resuming: true)
      } catch { return "\(error)" }
      return ""
    }
    #expect(try refusal { _ in } == "")
    let term = try #require(good.position.counts.keys.sorted().first)
    let changes: [(String, (inout Checkpoint.Position) -> Void)] = [
      ("stage -1", { $0.stage = -1 }), ("stage 3", { $0.stage = 3 }), ("stage", { $0.stage = .max }),
      ("stage 1 of a finished run", { $0.isFinished = true }), ("epoch -1", { $0.epoch = -1 }),
      ("epoch 3", { $0.epoch = 3 }),
      ("iteration -5", { $0.iteration = -5 }), ("iteration 4 of epoch", { $0.iteration = 4 }),
      ("totalIterations", { $0.totalIterations = .min }),
      ("expected \(good.position.totalIterations) at this place", { $0.totalIterations += 1 }),
      ("extraBatches", { $0.extraBatches = -1 }), ("extraBatches", { $0.extraBatches += 1 }),
      ("extraBatches", { $0.extraBatches = .max }), ("seconds", { $0.seconds = -1 }),
      ("seconds 1e+300, expected 0 to", { $0.seconds = 1e300 }),
      ("metricsLength", { $0.metricsLength = -1 }), ("start the run anew", { $0.metricsLength += 1_000_000 }),
      ("no line that ends", { $0.metricsLength -= 1 }), ("the count 0", { $0.counts[term] = 0 }),
      ("the count 1000", { $0.counts[term] = 1000 }), ("the sum", { $0.counts[term] = nil }),
      ("the count", { $0.sums[term] = nil }),
    ]
    for (expected, change) in changes {
      let found = try refusal(change)
      #expect(found.contains(expected), "expected '\(expected)', found '\(found)'")
    }
    let total = try Checkpoint.read(folder.checkpoint).position.totalIterations
    let changesAtTheEnd: [(String, (inout Checkpoint.Position) -> Void)] = [
      ("epoch 1000000000000000 after the last stage, expected 0", { $0.epoch = 1_000_000_000_000_000 }),
      ("iteration 1 after the last stage, expected 0", { $0.iteration = 1 }),
      ("extraBatches 2 after the last stage, expected 0", { $0.extraBatches = 2 }),
      ("a sum of 'mse' after the last stage", { ($0.sums["mse"], $0.counts["mse"]) = (1, 1) }),
      ("totalIterations \(total + 1) after the last stage, expected \(total)", { $0.totalIterations += 1 }),
      ("and the checkpoint expects", { $0.metricsLength += 1_000_000 }),
      ("no line that ends", { $0.metricsLength -= 1 }),
    ]
    for (expected, change) in changesAtTheEnd {
      let found = try refusal(change, at: folder)
      #expect(found.contains(expected), "expected '\(expected)', found '\(found)'")
    }
    var bad = good
    bad.tensors["generator.draws"] = try Tensor.zeros([good.tensors["generator.draws"]!.count], dtype: .uint8) + 255
    try bad.write(to: copy.checkpoint)
    let damaged = #expect(throws: FileError.self) {
      try Trainer(compose(yaml), data: digits(), folder: copy, shouldStop: { true }).run(resuming: true)
    }
    #expect(damaged?.description.contains("'draws' that is none") == true)
    #expect(try refusal({ $0.stage = 1 }, at: folder).contains("of a finished run"))
  }

  @Test func impossibleStatesOfAnOptimizerAreRefused() throws {
    let scratch = try Scratch()
    let (_, _, copies) = try wholeRun(scratch, secondsBetweenCheckpoints: 0)
    let copy = try #require(copies.last { try Checkpoint.read($0.checkpoint).position.iteration > 0 })
    let good = try Checkpoint.read(copy.checkpoint)
    func refusal(_ ending: String, _ change: (Tensor) throws -> Tensor) throws -> String {
      var bad = good
      let name = try #require(good.tensors.keys.sorted().first { $0.hasPrefix("optimizer.") && $0.hasSuffix(ending) })
      bad.tensors[name] = try change(good.tensors[name]!)
      try bad.write(to: copy.checkpoint)
      do {
        _ = try Trainer(compose(yaml), data: digits(), folder: copy, shouldStop: { true }).run(resuming: true)
      } catch { return "\(error)" }
      return ""
    }
    for count in [-5.5, 2.5, -1, .nan, .infinity, 1e30] {
      let found = try refusal(".steps") { try $0.filled(with: count) }
      #expect(found.contains("of 'classifier.") && found.contains("expected a whole number, 0 to 2^24"), "\(found)")
    }
    #expect(try refusal(".second") { try $0 - 1 }.contains("below 0, expected 0 or more"))
    try good.write(to: copy.checkpoint)
    #expect(try refusal(".steps") { $0 } == "")
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    let scratch = try Scratch()
    let (_, folder, _) = try wholeRun(scratch, secondsBetweenCheckpoints: 1000)
    let good = try Checkpoint.read(folder.checkpoint)
    let name = try #require(good.tensors.keys.sorted().first { $0.hasPrefix("model.encoder.") })
    for value in [Double.nan, .infinity] {
      var bad = good
      bad.tensors[name] = try good.tensors[name]!.filled(with: value)
      try bad.write(to: folder.checkpoint)
      #expect {
        _ = try Checkpoint.load(compose(yaml), from: folder.checkpoint)
      } throws: { "\($0)".contains("is damaged: '\(name)' holds values that are not finite") }
    }
  }

  @Test(arguments: [
    "\"stage\":0.5", "\"stage\":true", "\"stage\":\"0\"", "\"seconds\":1e999", "\"seconds\":NaN", "\"seconds\":\"nan\"",
    "\"stage\":99999999999999999999", "\"counts\":{\"a\":1.5}", "\"sums\":[1]",
  ])
  func fieldsOfAnotherKindAreRefused(field: String) throws {
    let scratch = try Scratch()
    let url = scratch.url.appendingPathComponent("checkpoint")
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let whole = String(decoding: try encoder.encode(Checkpoint.Position()), as: UTF8.self)
    let key = try #require(field.split(separator: ":").first)
    let own = try Regex("\(key):(\\{[^}]*\\}|[^,}]*)")
    let position = whole.replacing(own, maxReplacements: 1) { _ in field }
    #expect(position != whole)
    func write(_ position: String) throws {
      let machine = String(decoding: try encoder.encode(Checkpoint.Machine(device: .cpu)), as: UTF8.self)
      let metadata = ["format": "latentkit-checkpoint-1", "position": position, "machine": machine]
      try Safetensors.write([:], metadata: metadata, to: url)
    }
    try write(whole)
    #expect(throws: Never.self) { try Checkpoint.read(url) }
    try write(position)
    let refusal = #expect(throws: FileError.self) { try Checkpoint.read(url) }
    // A number that JSON cannot hold has no place.
    let isNumber = field.hasSuffix("NaN") || field.hasSuffix("1e999")
    let name = key.replacingOccurrences(of: "\"", with: "")
    #expect(refusal?.description.contains("is damaged: its position has") == true)
    #expect(isNumber || refusal?.description.contains(name) == true, "\(refusal?.description ?? "")")
    try write(whole.replacing(own, maxReplacements: 1) { _ in "\"other\":1" })
    #expect(throws: FileError(url.path, "is damaged: its position has no \(name); start the run anew")) {
      try Checkpoint.read(url)
    }
  }

  @Test func aFlippedBitOfACheckpointIsRefused() throws {
    let scratch = try Scratch()
    let url = scratch.url.appendingPathComponent("checkpoint")
    let empty = ["format": "latentkit-checkpoint-1"]
    let encoder = JSONEncoder()
    let position = String(decoding: try encoder.encode(Checkpoint.Position()), as: UTF8.self)
    let machine = String(decoding: try encoder.encode(Checkpoint.Machine(device: .cpu)), as: UTF8.self)
    try Safetensors.write(
      [:], metadata: empty.merging(["position": position, "machine": machine]) { $1 }, to: url)
    var checkpoint = try Checkpoint.read(url)
    checkpoint.tensors = ["model.a": try .ones([40]), "model.b": try .zeros([3], dtype: .int64)]
    try checkpoint.write(to: url)
    let whole = try Data(contentsOf: url)
    #expect(try Checkpoint.read(url).tensors.keys.sorted() == ["model.a", "model.b"])
    // Of the first and the last byte of the tensors, and one between: each makes another finite number; and of a text.
    let key = try #require(whole.range(of: Data("cpu".utf8))).lowerBound
    for place in [whole.count - 184, whole.count - 100, whole.count - 1, key] {
      var damaged = whole
      damaged[place] ^= 1
      try damaged.write(to: url)
      let refusal = #expect(throws: FileError.self) { try Checkpoint.read(url) }
      #expect(refusal?.description.contains("it has the checksum") == true)
    }
  }

  @Test func impossibleRecordsOfEpochsAreRefused() throws {
    let scratch = try Scratch()
    let url = scratch.url.appendingPathComponent("metrics.jsonl")
    let good = """
      {"stage":"main","epoch":1,"iteration":2,"training":{"mse":1},"validation":{},"metrics":[{"name":"a","unit":"","value":1}],\
      "learningRates":[0.1],"seconds":1,"examplesPerSecond":2}
      """
    try Data(good.utf8).write(to: url)
    #expect(try MetricsLog.read(url).count == 1)
    for (old, new) in [
      ("\"epoch\":1", "\"epoch\":0"), ("\"epoch\":1", "\"epoch\":1.5"), ("\"epoch\":1", "\"epoch\":true"),
      ("\"iteration\":2", "\"iteration\":-2"), ("\"seconds\":1", "\"seconds\":-1"),
      ("\"seconds\":1", "\"seconds\":\"nan\""), ("\"examplesPerSecond\":2", "\"examplesPerSecond\":-2"),
      ("\"value\":1", "\"value\":\"inf\""),
      (
        "\"value\":1",
        "\"table\":{\"rowTitle\":\"\",\"columnTitle\":\"\",\"rows\":[\"a\"],\"columns\":[\"b\"],\"values\":[[1,2]],\"isMatrix\":true}"
      ),
    ] {
      let bad = good.replacingOccurrences(of: old, with: new)
      #expect(bad != good)
      try Data(bad.utf8).write(to: url)
      #expect(throws: FileError.self, "\(new)") { try MetricsLog.read(url) }
    }
    // A long time is no whole number of seconds.
    #expect(duration(1e300) == "?")
  }

  @Test func aTornOrMissingCheckpointIsOneSentence() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("torn")
    let composition = try compose(yaml)
    #expect { try Trainer(composition, data: digits(), folder: folder).run(resuming: true) } throws: {
      "\($0)".contains("no checkpoint")
    }
    try Data("abc".utf8).write(to: folder.checkpoint)
    #expect { try Trainer(composition, data: digits(), folder: folder).run(resuming: true) } throws: {
      "\($0)".contains("safetensors")
    }
  }
}
