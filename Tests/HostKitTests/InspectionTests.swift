import ArgumentParser
import Datasets
import Figures
import Foundation
import LatentKit
import Runs
import Testing
import Training

@testable import HostKit

/// Two runs on the embedded digits, trained for a moment: a plain one with unit inputs, and a conditional one with
/// padded symmetric inputs.
private struct TwoRuns {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-runs-\(UUID().uuidString)")
  let plain: String
  let conditional: String

  init() throws {
    (plain, conditional) = (url.appendingPathComponent("plain").path, url.appendingPathComponent("told").path)
    let common = [
      "--encoder", "mlp", "--set", "encoder.hidden=[16]", "--set", "data.limit=200", "--set", "data.embedded=true",
      "--epochs", "1", "--runs", url.path,
    ]
    try host(["train"] + common + ["--name", "plain", "--loss", "mse"])
    try host(
      ["train"] + common + [
        "--name", "told", "--decoder", "conditional-mlp", "--loss", "mse", "--set", "data.pad=2", "--set",
        "data.range=symmetric", "--set", "decoder.output=tanh",
      ])
  }
  func remove() { try? FileManager.default.removeItem(at: url) }
}

private func reconstructor(_ run: String) throws -> Reconstructor {
  try Reconstructor(opening: URL(fileURLWithPath: run), catalog: Catalog(plugins))
}

@Suite struct Inspection {
  @Test func runsWithOtherInputsAreMeasuredInOneScale() throws {
    let runs = try TwoRuns()
    defer { runs.remove() }
    for path in [runs.plain, runs.conditional] {
      let run = try reconstructor(path)
      let few = try run.session.test.examples.slice(0..<7)
      let found = try run.reconstruct(few, ownClasses: true)
      // Originals are the bytes over 255, whatever the model reads.
      let bytes = try few.inputs.to(.float32) / 255
      #expect(try (found.originals - bytes).abs().max().item() < 1e-6)
      #expect(found.reconstructions.shape == [7, 1, 28, 28])
      // The error again, by a loop over pixels of what the model makes.
      let source = try BatchSource(few, settings: run.session.settings, classCount: 10)
      let made = try run.session.evaluator.reconstruct(source.batch(0..<7))
      let (pad, side) = path == runs.plain ? (0, 28) : (2, 32)
      #expect(made.shape == [7, 1, side, side])
      let (values, expected) = (try made.contiguous().doubles(), try bytes.contiguous().doubles())
      var sum = 0.0
      for image in 0..<7 {
        for y in 0..<28 {
          for x in 0..<28 {
            let value = values[image * side * side + (y + pad) * side + x + pad]
            let unit = path == runs.plain ? value : (value + 1) / 2
            sum += pow(unit - expected[image * 784 + y * 28 + x], 2)
          }
        }
      }
      #expect(abs(found.error - sum / (7 * 784)) < 1e-6)
    }
  }

  @Test func aDecoderThatIsToldTheClassGetsTheBestOneForUnseenData() throws {
    let runs = try TwoRuns()
    defer { runs.remove() }
    let run = try reconstructor(runs.conditional)
    #expect(run.isConditional)
    let images = try run.session.test.examples.slice(0..<5).inputs
    let best = try run.reconstruct(Examples(inputs: images), ownClasses: false)
    let other = #expect(throws: RecipeError.self) { try run.require([3, 32, 32], of: "cifar10") }
    #expect(other?.description.hasPrefix("run 'told' reads images of [1, 28, 28], and cifar10 has [3, 32, 32]") == true)
    // Every class in turn, as if it were the images' own.
    var least = [Double](repeating: .infinity, count: 5)
    for label in 0..<10 {
      let labels = try Tensor.full([5], Double(label), dtype: .int64)
      let told = try run.reconstruct(Examples(inputs: images, labels: labels), ownClasses: true)
      let errors = try (told.reconstructions - told.originals).to(.float64).square().mean(axes: [1, 2, 3]).doubles()
      least = zip(least, errors).map(min)
    }
    #expect(abs(best.error - least.reduce(0, +) / 5) < 1e-9)
    let errors = try (best.reconstructions - best.originals).to(.float64).square().mean(axes: [1, 2, 3]).doubles()
    for (found, expected) in zip(errors, least) { #expect(abs(found - expected) < 1e-9) }
  }

  @Test func severalRunsAreDrawnOnTheSameImages() throws {
    let runs = try TwoRuns()
    defer { runs.remove() }
    let picture = runs.url.appendingPathComponent("x.png")
    try host(["reconstruct", runs.plain, "--data", "fashion-mnist", "--count", "4", "--output", picture.path])
    let one = try Picture(contentsOf: picture)
    try host(
      [
        "reconstruct", runs.plain, runs.conditional, "--data", "fashion-mnist", "--count", "4", "--output",
        picture.path,
      ])
    let two = try Picture(contentsOf: picture)
    // One more row of 56 pixels and 2 between rows; the caption may take another line.
    #expect(two.height >= one.height + 58)
    try host(["reconstruct", runs.plain, "--data", "fashion-mnist", "--classes", "sneaker, 3", "--count", "4"])
    func exists(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(runs.plain)/figures/\(name)")
    }
    #expect(exists("reconstructions-fashion-mnist-classes-sneaker, 3.png"))
    // The picture that the run's report shows stays what it is.
    let own = URL(fileURLWithPath: runs.plain).appendingPathComponent("figures/reconstructions.png")
    let before = try Data(contentsOf: own)
    try host(["reconstruct", runs.plain, "--part", "train", "--count", "4"])
    try host(["reconstruct", runs.plain, runs.conditional, "--count", "4"])
    #expect(try Data(contentsOf: own) == before)
    #expect(exists("reconstructions-train.png") && exists("reconstructions-told.png"))
    #expect(
      message(["reconstruct", runs.plain, "--classes", ","]).contains("--classes: found ',', expected classes by"))
    for list in ["0,,1", ",1", "0,"] {
      #expect(message(["reconstruct", runs.plain, "--classes", list]).contains("found nothing between two commas"))
    }
    for list in ["0,0", "3, 3", "sneaker,2,7"] {
      let found = message(["reconstruct", runs.plain, "--data", "fashion-mnist", "--classes", list])
      #expect(
        found.contains(
          "--classes: found class '\(list.split(separator: ",").last!.trimmingCharacters(in: .whitespaces))' twice"))
    }
    #expect(message(["reconstruct", runs.plain, "--classes", "12"]).contains("expected classes 0 to 9 of mnist"))
    #expect(message(["reconstruct", runs.plain, "--data", "mnst"]).contains("Did you mean 'mnist'?"))
    #expect(message(["reconstruct", runs.plain, "/nowhere"]).contains("not the folder of a run"))
    #expect(message(["reconstruct"]).contains("<run>"))
  }

  @Test func aRunWithoutADecoderReconstructsNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try host([
      "train", "--encoder", "mlp", "--decoder", "none", "--prior", "pedcc", "--loss", "centroid", "--set",
      "encoder.hidden=[8]", "--set", "data.limit=100", "--set", "data.embedded=true", "--epochs", "1", "--runs",
      folder.path, "--name", "blind",
    ])
    let found = message(["reconstruct", folder.appendingPathComponent("blind").path])
    #expect(found.contains("run 'blind' has no decoder, so it reconstructs nothing"))
  }

  @Test func centroidsOfAPriorAreDrawn() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).png")
    defer { try? FileManager.default.removeItem(at: url) }
    try host(["centroids", "pedcc", "--classes", "2,4,5", "--dimensions", "3", "--output", url.path])
    let picture = try Picture(contentsOf: url)
    #expect((picture.width, picture.height) == (900, 350))
    #expect(message(["centroids", "pedcc", "--classes", "3,2,3"]).contains("--classes: found 3 twice; keep one"))
    try host(["centroids", "pedcc", "--classes", "10", "--dimensions", "40", "--set", "prior.method=charge"])
  }

  @Test(arguments: [
    (["standard-normal"], "prior 'standard-normal' places no class at a point"),
    (["pedc"], "Did you mean 'pedcc'?"),
    (["pedcc", "--set", "prior.iteratons=9"], "Did you mean 'iterations'?"),
    (["pedcc", "--set", "prior.classes=40"], "centroids of shape [40, 3], expected [10, 3]"),
    (
      ["pedcc", "--set", "prior=standard-normal"],
      "--set: found 'prior=standard-normal', expected a setting of the prior"
    ),
    (["pedcc", "--set", "prior.use=standard-normal"], "--set: found 'prior.use=standard-normal', expected a setting"),
    (["pedcc", "--set", "prior.seed=1", "--set", "seed=7"], "--set: found 'seed=7', expected a setting of the prior"),
    (["pedcc", "--set", "noise.scale=7"], "--set: found 'noise.scale=7', expected a setting of the prior"),
    (
      ["pedcc", "--classes", "20", "--set", "prior.gamma=1e300"],
      "prior.with.gamma: found 1e+300, expected above 0, up to 1000000"
    ),
    (["pedcc", "--set", "prior.scale=1e200"], "scale: found 1e+200, expected 1e-15 to 1e15"),
    (["pedcc", "--classes", "20000", "--dimensions", "20000"], "expected up to 838 dimensions for so many"),
    (["pedcc", "--classes", "100000"], "found 100000 points to place evenly, expected up to 25000"),
    (["pedcc", "--classes", "2,x"], "--classes: found 'x'"),
    (["pedcc", "--classes", ""], "--classes: found ''"),
    (["pedcc", "--classes", "0"], "--classes: found '0'"),
    (["pedcc", "--dimensions", "0"], "--dimensions is 0"),
    (["pedcc", "--dimensions", "5", "--output", "x.png"], "--output draws points in 2 or 3 dimensions"),
    (["pedcc", "--seed", "-1"], "seed"),
  ])
  func wrongCentroidsAreOneSentence(arguments: [String], sentence: String) {
    let found = message(["centroids"] + arguments)
    #expect(found.contains(sentence), "\(found)")
  }
}
