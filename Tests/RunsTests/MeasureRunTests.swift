import Foundation
import LatentKit
import Runs
import Testing

/// Measures of reconstructions and samples, on real runs.
@Suite struct Measures {
  private let scratch: Scratch
  private let catalog: Catalog

  init() throws {
    scratch = try Scratch()
    catalog = try Catalog(plugins)
  }

  private func url(_ name: String) -> URL { scratch.url.appendingPathComponent(name) }

  private func train(_ name: String, _ yaml: String) throws -> Run {
    let run = try Run(Recipe.read(yaml: yaml, file: name), catalog: catalog, in: url(name))
    try run.train()
    return run
  }

  private let judge = """
    {seed: 1, data: {use: mnist, with: {embedded: true, limit: 400}},
     encoder: {use: mlp, with: {hidden: [64], latent: 12}}, decoder: none, classifier: linear, metrics: [accuracy],
     noise: none, stages: [{epochs: 12, batch: 25, losses: [cross-entropy]}]}
    """

  private func model(_ metrics: String) -> String {
    """
    data: {use: mnist, with: {embedded: true, limit: 300, pad: 2, range: symmetric}}
    encoder: {use: mlp, with: {latent: 10, hidden: [32]}}
    decoder: {use: mlp, with: {output: tanh}}
    prior: pedcc
    sampler: class-gaussian
    metrics: \(metrics)
    stages: [{epochs: 3, batch: 50}]
    """
  }

  private var all: String {
    let judged = "classifier: '\(url("judge").path)'"
    return """
      [psnr, ssim, {use: sharpness, with: {samples: 100}}, {use: class-agreement, with: {\(judged)}}, \
      {use: sample-class-agreement, with: {\(judged), samples: 100}}, \
      {use: frechet-distance, with: {\(judged), samples: 100, training: true}}, \
      {use: kid, with: {\(judged), samples: 100, training: true}}, \
      {use: precision-recall, with: {\(judged), samples: 100, training: true}}, \
      {use: classification-accuracy-score, with: {samples: 100, epochs: 2}}]
      """
  }

  private func weights(_ run: Run) throws -> [Data] {
    try run.session.composition.store.parameters.map { try $0.tensor.detached().bytes() }
  }

  @Test func everyMeasureIsMeasuredAndChangesNoBitOfTraining() throws {
    _ = try train("judge", judge)
    let plain = try train("plain", model("[]"))
    let run = try train("measured", model(all))
    #expect(try weights(run) == weights(plain))

    let found = try run.evaluate(.test)
    #expect(try found.losses == plain.evaluate(.test).losses)
    for measured in found.measurements { #expect(measured.missing == nil, "\(measured.name)") }
    func value(_ name: String) throws -> Double {
      let measured = try #require(found.measurements.first { $0.name == name }, "\(name)")
      return try #require(measured.value)
    }

    // From the model's own reconstructions of the test part, which are in brightness and without padding.
    let made = try run.reconstruct(.test)
    let (originals, reconstructions) = (try made.originals.to(.float64), try made.reconstructions.to(.float64))
    let errors = try (originals - reconstructions).square().mean(axes: [1, 2, 3]).doubles()
    let decibels = errors.map { -10 * log10($0) }.reduce(0, +) / Double(errors.count)
    #expect(abs(try value("psnr") - decibels) < 1e-4)
    // A small model blurs.
    #expect(try value("sharpness of reconstructions") < value("sharpness of originals") / 2)
    #expect(try 0.05...0.9 ~= value("ssim"))

    // The judge's own accuracy on its own data is what it finds of the originals, up to the rounding of another scale.
    let own = try Run(opening: url("judge"), catalog: catalog).evaluate(.test)
    let accuracy = try #require(own.measurements.first { $0.name == "accuracy" }?.value)
    let judged = try value("classifier accuracy on originals")
    #expect(abs(judged - accuracy) < 0.11)
    #expect(accuracy > 50)
    // Training examples are nearer to test examples than samples of a model that was hardly trained.
    #expect(try value("Fréchet distance of training examples") < value("Fréchet distance"))
    #expect(try abs(value("kid of training examples")) < value("kid"))
    #expect(try value("coverage of training examples") > value("coverage"))
    #expect(
      try value("classification accuracy score") < value("classification accuracy score of training examples") + 10)

    // Opened again, the same numbers.
    #expect(try Run(opening: run.folder.url, catalog: catalog).evaluate(.test).measurements == found.measurements)
    // Each in the summary, tables as files.
    let results = try run.finish(perClass: nil)
    #expect(results.summary.testMetrics == found.measurements)
    #expect(found.measurements.filter { $0.table != nil }.count == 3)
  }

  @Test func samplesThatFollowNoClassHaveNoAgreement() throws {
    _ = try train("judge", judge)
    let judged = "classifier: '\(url("judge").path)'"
    let metrics = """
      [rate, {use: sample-class-agreement, with: {\(judged), samples: 60}}, \
      {use: precision-recall, with: {\(judged), samples: 60}}]
      """
    let yaml = """
      {data: {use: mnist, with: {embedded: true, limit: 200}}, encoder: {use: mlp, with: {latent: 4, hidden: [16]}},
       prior: standard-normal, metrics: \(metrics), stages: [{epochs: 1, batch: 50}]}
      """
    let run = try train("vae", yaml)
    let found = try run.evaluate(.test)
    let agreement = try #require(found.measurements.first { $0.name == "sample class agreement" })
    #expect(agreement.missing?.hasPrefix("neither the sampler nor the decoder follows classes") == true)
    #expect(found.measurements.first { $0.name == "precision" }?.value != nil)
    // The loss that training minimised is measured under its own name.
    let rate = try #require(found.measurements.first { $0.name == "rate" }?.value)
    #expect(abs(rate - (try #require(found.losses["kl"]))) < 1e-5 * max(1, rate) && rate > 0)
    #expect(run.session.composition.metrics.map(\.name) == ["rate", "sample-class-agreement", "precision-recall"])
  }

  @Test func aMeasureThatCannotBeIsRefusedBeforeTraining() throws {
    func problem(_ yaml: String) -> String {
      do {
        _ = try Run(Recipe.read(yaml: yaml, file: "model"), catalog: catalog, in: url("never"))
        return "none"
      } catch { return "\(error)" }
    }
    #expect(
      problem(model("[kid]")).hasPrefix("metric 'kid' judges by the classifier of another run, and none is named"))
    #expect(problem(model("[{use: kid, with: {samples: 1}}]")).contains("samples: found 1, expected 2 to 1000000"))
    #expect(problem(model("[rate]")).contains("metric 'rate' needs a Gaussian code, and the encoder gives points"))
    let rows = url("rows.csv")
    try "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,9,y\n1,2,x\n3,4,y\n".write(to: rows, atomically: true, encoding: .utf8)
    let table = """
      {data: {use: table, with: {path: '\(rows.path)', label: label, test: 0.4}}, encoder: {use: mlp, with: {latent: 2}},
       metrics: [psnr], stages: [{epochs: 1, losses: [mse]}]}
      """
    #expect(problem(table).contains("metric 'psnr' needs images [channels, height, width], found inputs of shape [2]"))
  }
}
