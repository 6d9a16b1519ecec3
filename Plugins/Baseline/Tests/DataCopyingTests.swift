import LatentKit
import Testing

@testable import Baseline

/// Training rows, rows that were not trained on, and samples, in three dimensions.
private struct Rows {
  var generator: Generator
  let training: Tensor
  let unseen: Tensor

  init() throws {
    generator = try Generator(seed: 11)
    training = try generator.normal([300, 3])
    unseen = try generator.normal([120, 3])
  }

  func measure(_ samples: Tensor, _ change: (inout DataCopyingMetric.Config) -> Void = { _ in }) throws -> [String:
    Double]
  {
    var config = DataCopyingMetric.Config()
    config.samples = try samples.size(0)
    change(&config)
    var metric = try DataCopyingMetric(config, in: judged(3))
    for range in [0..<50, 50..<120] {
      let batch = Batch(inputs: try unseen.slice(range), labels: nil)
      try metric.update(forward(batch, code: .point(batch.inputs), made: batch.inputs, training: false))
    }
    let labels = try Tensor.zeros([300], dtype: .int64)
    let found = try metric.finish(sampling(samples, labels: nil, training: (training, labels), sources: metric.sources))
    return Dictionary(uniqueKeysWithValues: found.compactMap { one in one.value.map { (one.name, $0) } })
  }
}

@Suite struct CopiesOfTrainingExamples {
  @Test func copiesHaveNoNoveltyAndFreshDataHaveHalf() throws {
    var rows = try Rows()
    let copies = try rows.measure(rows.training.slice(40..<160))
    #expect(try #require(copies["novelty of samples"]) == 0)
    #expect(try #require(copies["data-copying score"]) < -10)
    #expect(abs(try #require(copies["distance of samples to training"])) < 1e-6)
    let fresh = try rows.measure(rows.generator.normal([120, 3]))
    #expect(abs(try #require(fresh["novelty of samples"]) - 50) < 10)
    #expect(abs(try #require(fresh["data-copying score"])) < 3)
    let noise = try rows.measure(rows.generator.normal([120, 3]) * 20)
    #expect(try #require(noise["novelty of samples"]) > 95)
  }

  @Test func theShareIsThatOfALoopOverPairs() throws {
    var rows = try Rows()
    let samples = try rows.generator.normal([60, 3]) * 0.8
    let found = try rows.measure(samples)
    func nearest(_ points: Tensor) throws -> [Double] {
      let training = try rows.training.to(.float64)
      return try (0..<points.size(0)).map { index in
        try (training - points.to(.float64).slice(index..<index + 1)).square().sum(axis: 1).sqrt().min(axis: 0).item()
      }
    }
    // 60 of 120, spread evenly: every second.
    let (a, b) = (try nearest(samples), try nearest(rows.unseen.rows((0..<120).filter { $0 % 2 == 1 })))
    let pairs = a.reduce(0.0) { sum, x in sum + b.reduce(0) { $0 + (x > $1 ? 1 : x == $1 ? 0.5 : 0) } }
    #expect(abs(try #require(found["novelty of samples"]) - 100 * pairs / 3600) < 1e-9)
    #expect(abs(try #require(found["data-copying score"]) - (pairs - 1800) / (3600.0 * 121 / 12).squareRoot()) < 1e-9)
    #expect(abs(try #require(found["distance of samples to training"]) - a.reduce(0, +) / 60) < 1e-6)
    // The features of the judge are the values themselves.
    #expect(try rows.measure(samples) { $0.classifier = "runs/judge" } == found)
  }

  @Test func samplesThatAreNotFiniteAreMissing() throws {
    let rows = try Rows()
    #expect(try rows.measure(rows.unseen.filled(with: .nan)).isEmpty)
  }
}
