import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// Training whose layers compute in bf16 or Float16.
@Suite struct HalfPrecision {
  @Test func stepsWhoseGradientsLeaveTheRangeOfFloat16AreLeftOutAndHalveTheFactor() throws {
    let scratch = try Scratch()
    let composition = try compose(SparseRecipe.scaled)
    let folder = try scratch.run("scaled")
    var factors: [Double] = []
    var stood: [Bool] = []
    func trained() throws -> [Data] {
      try composition.store.parameters.filter { $0.role == .weight }.map { try $0.tensor.bytes() }
    }
    var before = try trained()
    _ = try Trainer(
      composition, data: SparseRecipe.augmented(), folder: folder, secondsBetweenCheckpoints: 0,
      shouldStop: {
        factors += [(try? Checkpoint.read(folder.checkpoint).position.lossScale?.factor)].compactMap { $0 }
        let now = (try? trained()) ?? before
        stood.append(now == before)
        before = now
        return false
      }
    ).run()
    // A step is left out for each halving.
    let last = try #require(factors.last)
    #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 >= $1 } && last < 65536 && last >= 1)
    #expect(stood.contains(true) && stood.contains(false))
    #expect(composition.store.parameters.allSatisfy { $0.tensor.dtype == .float32 })
    let losses = try MetricsLog.read(folder.metrics).prefix(2).compactMap {
      $0.training["dense: total"] ?? $0.training["total"]
    }
    #expect(losses.count == 2 && losses[1] < losses[0])
  }

  @Test func stepsInFloat16AreAsLongAsThoseInFloat32() throws {
    let plain = """
      seed: 3
      data: mnist
      encoder: {use: mlp, with: {latent: 4, hidden: [16]}}
      decoder: {use: mlp, with: {hidden: [16]}}
      stages:
        - {epochs: 1, batch: 50, train: [encoder, decoder], losses: [mse], optimizer: {use: sgd, with: {learningRate: 0.1}}}
      """
    let scratch = try Scratch()
    func trained(_ precision: String, epochs: Bool = true) throws -> [Tensor] {
      let composition = try compose("precision: \(precision)\n" + plain)
      if epochs {
        let folder = try scratch.run(precision)
        _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run(resuming: false)
      }
      return try composition.store.parameters.filter { $0.role == .weight }.map { try $0.tensor.detached() }
    }
    let (start, wide, narrow) = (
      try trained("float32", epochs: false), try trained("float32"), try trained("float16")
    )
    for index in start.indices {
      let length = try (wide[index] - start[index]).square().sum().item()
      let difference = try (narrow[index] - wide[index]).square().sum().item()
      #expect(length > 0 && difference < 0.01 * length)
    }
  }

  @Test func halfPrecisionIsOfLayersAloneAndNearToFloat32() throws {
    let scratch = try Scratch()
    func trained(_ recipe: String, _ name: String) throws -> (Composition, [EpochRecord]) {
      let composition = try compose(recipe)
      let folder = try scratch.run(name)
      _ = try Trainer(composition, data: SparseRecipe.augmented(), folder: folder, shouldStop: { false }).run(
        resuming: false)
      return (composition, try MetricsLog.read(folder.metrics))
    }
    let (narrow, wide) = (try trained(SparseRecipe.half, "half"), try trained(SparseRecipe.float32, "whole"))
    #expect(try weights(narrow.0) != weights(wide.0))
    #expect(narrow.0.store.parameters.allSatisfy { $0.tensor.dtype == .float32 })
    for (narrow, wide) in zip(narrow.1, wide.1) {
      for (term, value) in wide.training {
        let found = try #require(narrow.training[term])
        #expect(abs(found - value) < 0.05 * max(abs(value), 1), "\(term)")
      }
    }
    // What is measured is computed in Float32.
    let forward = try Forward(
      SparseRecipe.augmented().validation!.batch(0..<5), through: narrow.0.model, training: false,
      drawing: RandomSource(Generator(seed: 1)))
    let other = try Forward(
      SparseRecipe.augmented().validation!.batch(0..<5), through: narrow.0.model, training: false,
      drawing: RandomSource(Generator(seed: 1)), precision: .bf16)
    #expect(try forward.reconstruction.dtype == .float32 && other.reconstruction.dtype == .float32)
    #expect(try forward.code.mean.bytes() != other.code.mean.bytes())
  }
}
