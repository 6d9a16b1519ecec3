import Figures
import Foundation
import LatentKit
import Recipes
import Testing
import Training

@testable import Runs

private let catalog = try! Catalog(plugins)

private func recipe(_ changes: String...) throws -> Recipe {
  var recipe = try Recipe.read(yaml: small, file: "small")
  try recipe.set("noise=scaled-gaussian")
  for change in changes { try recipe.set(change) }
  return recipe
}

private func trained(_ recipe: Recipe, _ scratch: Scratch, _ name: String) throws -> Run {
  let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent(name))
  #expect(try run.train() == .finished)
  return run
}

private func weights(_ run: Run) throws -> [Data] {
  try run.session.composition.store.parameters.map { try $0.tensor.detached().bytes() }
}

/// The PNG images in an event file, from their signature to their last chunk.
private func images(_ url: URL) throws -> [Data] {
  let data = try Data(contentsOf: url)
  var (found, rest): ([Data], Range<Int>) = ([], 0..<data.count)
  while let start = data.range(of: Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]), in: rest),
    let end = data.range(of: Data("IEND".utf8), in: start.upperBound..<data.count)
  {
    found.append(data[start.lowerBound..<(end.upperBound + 4)])
    rest = end.upperBound..<data.count
  }
  return found
}

@Suite struct Watching {
  @Test func watchingChangesNoBits() throws {
    let scratch = try Scratch()
    let plain = try trained(recipe(), scratch, "plain")
    let watched = try trained(recipe("watch=true"), scratch, "watched")
    #expect(try weights(plain) == weights(watched))
    #expect(!FileManager.default.fileExists(atPath: plain.folder.watched.path))
    #expect(try images(plain.folder.events).isEmpty && images(watched.folder.events).count == 4)
  }

  @Test func theStripShowsTheModelOfItsEpoch() throws {
    let scratch = try Scratch()
    let run = try trained(recipe("watch=true"), scratch, "run")
    let kept = try Safetensors.read(run.folder.watched).tensors
    #expect(
      Set(kept.keys)
        == ["samples/main/1", "samples/main/2", "reconstructions/main/1", "reconstructions/main/2"])
    let watched = try #require(try WatchedImages(run.session))
    // The test images of the last row again, by the trained model.
    let made = try run.session.evaluator.decode(
      run.session.composition.model.encoder.encode(Batch(inputs: watched.originals, labels: nil)).mean, labels: nil)
    let bytes = try made.floats().map { UInt8((255 * Double(min(max($0, 0), 1))).rounded()) }
    let last = try #require(kept["reconstructions/main/2"])
    #expect(last.shape == [10, 1, 28, 28])
    let differences = zip(try last.ints(), bytes).map { abs($0 - Int($1)) }
    #expect(differences.max()! <= 1)
    #expect(try kept["reconstructions/main/1"]?.bytes() != last.bytes())
    // The samples again, by a loop over the codes of each class.
    let codes = try run.session.evaluator.encode(watched.encoded).latents.doubles()
    let labels = try #require(try watched.encoded.examples.labels?.ints())
    let noise = try watched.noise.doubles()
    let points = (0..<10).flatMap { row in
      (0..<10).map { axis in
        let values = labels.indices.filter { labels[$0] == row }.map { codes[10 * $0 + axis] }
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        return Float(mean + variance.squareRoot() * noise[10 * row + axis])
      }
    }
    #expect(watched.classes == Array(0..<10) && labels.count == 100)
    let decoded = try run.session.evaluator.decode(Tensor(points, shape: [10, 10]), labels: nil).floats()
    let samples = try #require(kept["samples/main/2"]).ints()
    #expect(zip(samples, decoded).allSatisfy { abs(Double($0) - 255 * Double(min(max($1, 0), 1))) <= 1 })
    // The last picture of the events is the last reconstruction.
    let picture = try Picture(png: #require(images(run.folder.events).last))
    let expected = try ImageGrid.pairs(watched.originals, made).tiles
    #expect(picture == expected)

    let figures = try run.finish(perClass: nil).figures.map(\.lastPathComponent)
    #expect(figures.contains("samples-by-epoch.png") && figures.contains("reconstructions-by-epoch.png"))
  }

  @Test func aStoppedRunGoesOnToTheSameStrip() throws {
    let scratch = try Scratch()
    let whole = try trained(recipe("watch=true", "epochs=3"), scratch, "whole")
    let listener = Listener()
    let folder = scratch.url.appendingPathComponent("stopped")
    let stopped = try Run(recipe("watch=true", "epochs=3"), catalog: catalog, in: folder, observer: listener)
    #expect(try stopped.train { listener.steps == 8 } == .interrupted)
    let resumed = try Run(opening: folder, catalog: catalog)
    _ = consume stopped
    #expect(try resumed.train() == .finished)
    #expect(try Data(contentsOf: resumed.folder.watched) == Data(contentsOf: whole.folder.watched))
    #expect(try images(resumed.folder.events) == images(whole.folder.events))
  }

  @Test func longTrainingKeepsSomeEpochs() throws {
    let scratch = try Scratch()
    var recipe = try recipe("watch=true")
    func epochs(_ counts: (Int, trains: [String])...) throws -> [String] {
      recipe.stages = counts.enumerated().map { index, stage in
        Recipe.Stage(name: "s\(index)", epochs: stage.0, steps: [Step(train: stage.trains, losses: [])])
      }
      return try ImageStrip(of: recipe, in: RunFolder(scratch.url)).epochs.map { "\($0.stage) \($0.epoch)" }
    }
    let all = ["encoder", "decoder"]
    #expect(try epochs((3, all)) == ["s0 1", "s0 2", "s0 3"])
    #expect(try epochs((1, all)) == ["s0 1"])
    let long = try epochs((1000, all))
    #expect(long.count == 24 && Set(long).count == 24 && long.first == "s0 1" && long.last == "s0 1000")
    // A stage that does not train the decoder shows nothing.
    #expect(try epochs((5, ["encoder"]), (2, ["decoder"])) == ["s1 1", "s1 2"])
    let two = try epochs((50, all), (50, all))
    #expect(two.count == 24 && two.contains("s0 50") && two.contains("s1 1"))
  }

  @Test func whoHasACriticIsWatchedUnlessToldOtherwise() throws {
    let composer = Composer(catalog)
    func watch(_ changes: [String]) throws -> Bool? {
      var recipe = try Recipe.read(yaml: small, file: "small")
      for change in changes { try recipe.set(change) }
      let resolved = try composer.resolve(recipe)
      #expect(try Recipe.read(yaml: resolved.yaml(), file: "resolved") == resolved)
      return resolved.watch
    }
    #expect(try watch([]) == nil)
    #expect(try watch(["watch=true"]) == true)
    #expect(try watch(["discriminator=mlp"]) == true)
    #expect(try watch(["discriminator=mlp", "watch=false"]) == false)
    #expect(try watch(["discriminator=mlp", "decoder=none"]) == nil)
  }
}

@Suite struct LatentGrids {
  @Test func cornersAreDecodedQuantiles() throws {
    let scratch = try Scratch()
    let run = try trained(recipe("encoder.latent=2", "prior=standard-normal", "noise=none"), scratch, "run")
    let latents = try run.encode(.test)
    let grid = try #require(try run.session.latentGrid(over: latents, side: 3))
    #expect(grid.imageCount == 9)
    let values = try latents.latents.doubles()
    func bounds(_ axis: Int) -> (low: Double, high: Double) {
      // 1,000 test digits: the places of 1 % and 99 % are 10 and 989.
      let sorted = values.enumerated().filter { $0.offset % 2 == axis }.map(\.element).sorted()
      return (sorted[10], sorted[989])
    }
    let (x, y) = (bounds(0), bounds(1))
    let corners = [(x.low, y.high), (x.high, y.high), (x.low, y.low), (x.high, y.low)]
    let side = grid.tiles.width / 3
    let places = [(0, 0), (2 * side, 0), (0, 2 * side), (2 * side, 2 * side)]
    for (corner, place) in zip(corners, places) {
      let image = try run.session.evaluator.decode(
        Tensor([Float(corner.0), Float(corner.1)], shape: [1, 2]), labels: nil)
      let tile = try ImageGrid(image).tiles
      #expect(tile.width == side)
      for offset in stride(from: 0, to: side, by: 5) {
        let (found, expected) = (grid.tiles[place.0 + offset, place.1 + side / 2], tile[offset, side / 2])
        #expect(abs(Int(found.red) - Int(expected.red)) <= 1)
      }
    }
  }

  @Test func onlyTwoDimensionsHaveAGrid() throws {
    let scratch = try Scratch()
    let run = try Run(recipe("encoder.latent=3"), catalog: catalog, in: scratch.url.appendingPathComponent("run"))
    #expect(try run.session.latentGrid(over: run.encode(.test)) == nil)
  }
}
