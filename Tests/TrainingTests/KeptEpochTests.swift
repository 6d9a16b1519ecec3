import Foundation
import LatentKit
import Recipes
import Testing
import Training

private func recipe(_ keep: String, epochs: Int = 4) -> String {
  """
  {seed: 5, data: mnist, encoder: {use: mlp, with: {latent: 12, hidden: [16]}}, decoder: {use: mlp, with: {hidden: [16]}},
   prior: pedcc, noise: none, metrics: [],
   stages: [{name: only, epochs: \(epochs), batch: 64, keepEpochs: \(keep), steps: [
     {train: [encoder, decoder], losses: [centroid, mse], optimizer: adam, schedule: constant},
     {train: [decoder], losses: [{use: mse, weight: 2}], optimizer: {use: sgd, with: {learningRate: 0.01}}, schedule: constant, clip: 0.001}]}]}
  """
}

@Suite struct KeptEpochs {
  @Test func theCheckpointsOfGivenEpochsStayAndChangeNoBit() throws {
    let scratch = try Scratch()
    func train(_ text: String, _ name: String, stop: @escaping () -> Bool = { false }) throws -> (
      Composition, RunFolder
    ) {
      let composition = try compose(text)
      let folder = try scratch.run(name)
      try folder.mark(.run, recipe: "x")
      try Data("x".utf8).write(to: folder.recipe)
      _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: stop).run()
      return (composition, folder)
    }
    let (kept, folder) = try train(recipe("[3, 1]"), "kept")
    #expect(try weights(kept) == weights(train(recipe("[]"), "plain").0))
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.checkpoint.deletingLastPathComponent().path)
    #expect(Set(names) == ["last.safetensors", "only-epoch-1.safetensors", "only-epoch-3.safetensors"])
    // Each holds the weights of a run that ended there.
    for epoch in [1, 3] {
      let (short, _) = try train(recipe("[]", epochs: epoch), "short-\(epoch)")
      let opened = try compose(recipe("[]"))
      let position = try Checkpoint.load(opened, from: folder.checkpoint(of: "only", epoch: epoch))
      #expect(try weights(opened) == weights(short) && position.epoch == epoch && !position.isFinished)
    }
    // A run that was stopped keeps the same, epochs before the stop and after it.
    var iterations = 0
    let (_, stopped) = try train(recipe("[1, 3]"), "stopped") {
      iterations += 1
      return iterations == 6
    }
    let resumed = try compose(recipe("[1, 3]"))
    _ = try Trainer(resumed, data: digits(), folder: stopped, shouldStop: { false }).run(resuming: true)
    #expect(try weights(resumed) == weights(kept))
    for epoch in [1, 3] {
      func tensors(_ folder: RunFolder) throws -> [String: Data] {
        try Checkpoint.read(folder.checkpoint(of: "only", epoch: epoch)).tensors.mapValues { try $0.bytes() }
      }
      #expect(try tensors(stopped) == tensors(folder))
    }
    #expect(try timeless(stopped) == timeless(folder))
    // They are files of the run, and go with it.
    #expect(folder.owns("checkpoints/only-epoch-3.safetensors"))
    try folder.lock().clear()
    #expect(!FileManager.default.fileExists(atPath: folder.checkpoint.deletingLastPathComponent().path))
  }

  @Test func epochsThatAStageDoesNotHaveAreWarnedAbout() throws {
    let shape = DataShape(title: "data 'mnist'", inputShape: [1, 28, 28], inputRange: 0...1, classCount: 10)
    let text = try Recipe.read(yaml: recipe("[9, 2, 5]"), file: "r")
    #expect(
      try Composer(catalog).dryRun(text, for: shape)
        == ["stage 'only' has 4 epochs, so keepEpochs keeps no checkpoint of 5, 9"])
    #expect(try Recipe.read(yaml: text.yaml(), file: "again") == text && text.stages?[0].keepEpochs == [2, 5, 9])
    var changed = try Composer(catalog).resolve(text)
    try changed.set("keepEpochs=[1]")
    #expect(changed.stages?[0].keepEpochs == [1])
    #expect { try changed.set("keepEpochs=[0]") } throws: { "\($0)".contains("expected a whole number of at least 1") }
  }
}

@Suite struct GradientNorms {
  @Test func anEpochsRecordHasTheNormsOfItsLastBatchByStepAndPart() throws {
    let scratch = try Scratch()
    let composition = try compose(recipe("[]", epochs: 1))
    let folder = try scratch.run("run")
    // One batch of all examples: the first iteration is the epoch's last, at the initial weights.
    let data = try digits(train: 60)
    let pass = Forward(
      try data.training.batch(0..<60), through: composition.model, training: true,
      drawing: RandomSource(try Generator(seed: 1)))
    let total = try composition.stages[0].steps[0].terms(pass, under: composition.model.prior).map(\.value)
    let parameters = composition.stages[0].steps[0].parameters
    let gradients = try (total[0] + total[1]).gradients(by: parameters.map(\.tensor))
    func norm(_ part: String) throws -> Double {
      try zip(parameters, gradients).filter { $0.0.name.hasPrefix(part) }.reduce(0.0) { sum, pair in
        try sum + (pair.1?.doubles() ?? []).reduce(0) { $0 + $1 * $1 }
      }.squareRoot()
    }
    let expected = try ["encoder", "decoder"].map(norm)
    _ = try Trainer(composition, data: data, folder: folder, shouldStop: { false }).run()
    let norms = try #require(MetricsLog.read(folder.metrics)[0].gradientNorms)
    #expect(Set(norms.keys) == ["1.encoder", "1.decoder", "2.decoder"])
    for (part, value) in zip(["1.encoder", "1.decoder"], expected) {
      #expect(abs(try #require(norms[part]) - value) < 1e-4 * value, "\(part)")
    }
    // Before clipping, to 0.001 in the second step.
    #expect(try #require(norms["2.decoder"]) > 0.002)
  }

  /// Of a step against a discriminator, each weighted term has its own.
  @Test func theTermsOfADecoderAgainstADiscriminatorHaveTheirShares() throws {
    let scratch = try Scratch()
    func norms(_ weight: Double) throws -> [String: Double] {
      let composition = try compose(
        """
        {seed: 5, data: mnist, encoder: {use: mlp, with: {latent: 4, hidden: [16]}}, decoder: {use: mlp, with: {hidden: [16]}},
         discriminator: {use: mlp, with: {hidden: [8]}}, noise: none, metrics: [],
         stages: [{name: only, epochs: 1, batch: 64, steps: [
           {train: [discriminator], losses: [least-squares-critic], optimizer: adam, schedule: constant},
           {train: [decoder], losses: [mse, {use: adversarial, weight: \(weight)}], optimizer: adam, schedule: constant}]}]}
        """)
      let folder = try scratch.run("weight-\(weight)")
      _ = try Trainer(composition, data: digits(train: 60), folder: folder, shouldStop: { false }).run()
      return try #require(MetricsLog.read(folder.metrics)[0].gradientNorms)
    }
    let (none, one, three) = (try norms(0), try norms(1), try norms(3))
    let (pixels, critic) = ("2.decoder, mse", "2.decoder, adversarial")
    #expect(
      Set(one.keys) == [
        "1.discriminator", "1.discriminator, critic real", "1.discriminator, critic generated",
        "2.decoder", pixels, critic,
      ])
    // Both of one batch at the initial weights: a term's share is proportional to its weight.
    #expect(one[critic]! > 0 && abs(three[critic]! - 3 * one[critic]!) < 1e-5 * three[critic]!)
    #expect(none[critic] == 0 && none[pixels] == one[pixels] && one[pixels] == three[pixels])
    #expect(abs(none["2.decoder"]! - none[pixels]!) < 1e-6 * none[pixels]!)
    #expect(three["2.decoder"]! <= three[pixels]! + three[critic]!)
  }
}
