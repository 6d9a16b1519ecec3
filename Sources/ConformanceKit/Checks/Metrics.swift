import Foundation
import LatentKit

/// A metric with a model of stand-ins that it takes.
private struct MetricBench {
  let subject: Subject<any Metric>
  let world: World
  let kind: StandIn.Kind
  let made: Made<any Metric>
  let settings: [String: Value]
  var device: Device { subject.device }

  init(_ part: PartUnderTest) throws {
    let subject = try Subject(SlotKey.metric, part)
    var refusals = Refusals()
    for world in [World.rows, .images(1, 16), .images(1, 32)] {
      for kind in StandIn.Kind.allCases {
        for settings in subject.candidates {
          do {
            let bench = try MetricBench(subject, world, kind, settings)
            _ = try bench.results(bench.batches())
            self = bench
            return
          } catch let error as RecipeError { refusals.note(error) } catch let error as TensorError {
            refusals.note(error, for: world)
          }
        }
      }
    }
    throw refusals.fault(of: subject.title)
  }

  init(_ subject: Subject<any Metric>, _ world: World, _ kind: StandIn.Kind, _ settings: [String: Value]) throws {
    (self.subject, self.world, self.kind, self.settings) = (subject, world, kind, settings)
    made = try subject.make(in: world, settings, kind: kind)
  }

  func with(_ settings: [String: Value] = [:], in world: World? = nil, _ kind: StandIn.Kind? = nil) throws
    -> MetricBench
  {
    try MetricBench(subject, world ?? self.world, kind ?? self.kind, self.settings.merging(settings) { $1 })
  }

  func batches(_ counts: [Int] = [12, 12, 9], _ change: (inout Batch) throws -> Void = { _ in }) throws -> [Batch] {
    try counts.enumerated().map { index, count in
      var batch = try world.batch(count, seed: subject.seed + UInt64(index), device: device)
      try change(&batch)
      return batch
    }
  }

  /// One evaluation, as the framework makes it.
  func results(_ batches: [Batch]) throws -> [Measured] {
    try withoutGradients {
      var metric = made.part
      let random = RandomSource(try Generator(seed: 5, device: device))
      let passes = batches.map { Forward($0, through: made.model, training: false, drawing: random) }
      for pass in passes { try metric.update(pass) }
      let set = LatentSet(
        latents: try .concatenate(passes.map { try $0.code.mean }),
        labels: batches[0].labels == nil ? nil : try .concatenate(batches.compactMap(\.labels)),
        labelled: batches[0].labelled == nil ? nil : try .concatenate(batches.compactMap(\.labelled)))
      let scores = made.model.classifier == nil ? nil : try Tensor.concatenate(passes.map { try $0.scores })
      return try metric.finish(
        Evaluation(
          measured: set, scores: scores, model: made.model, classCount: world.classCount, random: random,
          training: reference(), sources: metric.sources, of: subject.title))
    }
  }

  private func reference() throws -> Evaluation.TrainingReference {
    let training = try batches([16, 16])
    return Evaluation.TrainingReference {
      LatentSet(
        latents: try .concatenate(training.map { try made.model.encode($0).mean }),
        labels: training[0].labels == nil ? nil : try .concatenate(training.compactMap(\.labels)))
    } batches: { body in
      for batch in training { try body(batch) }
    } samples: { request, _ in
      let latents = try world.latents(request.count, seed: 8, device: device)
      return SampleSet(
        latents: latents.latents, inputs: try made.model.decode(latents),
        labels: request.areOfClasses ? latents.labels : nil)
    }
  }
}

enum MetricChecks {
  static let all = [results, repeated, state, cases, hidden, settings]

  private static func check(_ name: String, _ fact: String, _ body: @escaping @Sendable (MetricBench) throws -> Verdict)
    -> Check
  {
    Check(.metric, name, fact) { try body(MetricBench($0)) }
  }

  private static func require(_ results: [Measured], _ when: String) throws {
    try ConformanceKit.require(!results.isEmpty, "\(when) there are no results, not even a missing one with its reason")
    try ConformanceKit.require(
      Set(results.map(\.name)).count == results.count, "\(when) two results share a name: \(results.map(\.name))")
    for result in results {
      try ConformanceKit.require(!result.name.isEmpty, "\(when) a result has no name")
      if let problem = result.problem { throw Fault("\(when) it gives \(problem)") }
      try ConformanceKit.require(
        result.value != nil || result.table != nil || result.missing?.isEmpty == false,
        "\(when) '\(result.name)' has no value, and no reason is given")
    }
  }

  private static var results: Check {
    check("results", "Results have names of their own, and a value, a table or a reason why there is none.") { bench in
      let results = try bench.results(bench.batches())
      try require(results, "for random codes")
      guard results.contains(where: { $0.value != nil || $0.table != nil }) else {
        return .warning("no result has a value for random codes: \(results[0].missing ?? "")")
      }
      return .passed
    }
  }

  private static var repeated: Check {
    check("same-seed", "An evaluation starts from a fresh copy: repeated, or by a metric made anew, it gives the same.")
    { bench in
      let first = try bench.results(bench.batches())
      try ConformanceKit.require(
        try bench.results(bench.batches()) == first,
        "a second evaluation gives other results: state is kept between them")
      try ConformanceKit.require(
        try bench.with().results(bench.batches()) == first, "two metrics of one seed give different results")
      return .passed
    }
  }

  private static var state: Check {
    check("evaluation", "Measuring changes no weight and no buffer of the model.") { bench in
      let before = try snapshot(bench.made.modelStore.parameters)
      _ = try bench.results(bench.batches())
      try ConformanceKit.require(
        try sameBits(before, snapshot(bench.made.modelStore.parameters)),
        "measuring changes the model's weights or buffers")
      return .passed
    }
  }

  private static var cases: Check {
    check(
      "classes",
      "One example, one class, absent classes and data without labels give results, or a refusal by a sentence."
    ) { bench in
      let device = bench.device
      let cases: [(String, () throws -> [Measured])] = [
        ("for one example", { try bench.results(bench.batches([1])) }),
        ("for one class", { try bench.results(bench.batches { $0.labels = try $0.labels?.filled(with: 1) }) }),
        (
          "without a class",
          {
            try bench.results(
              bench.batches { batch in
                batch.labels = try batch.labels.map { try Tensor($0.ints().map { Int64($0 == 1 ? 2 : 0) }).to(device) }
              })
          }
        ),
        (
          "for data without labels",
          {
            let other = try bench.with(in: bench.world.with(classCount: nil), .gaussiansAndNormal)
            return try other.results(other.batches())
          }
        ),
      ]
      for (name, results) in cases {
        do { try require(results(), name) } catch is RecipeError {} catch let error as TensorError {
          throw Fault("\(name) libtorch refuses it: \(error)")
        }
      }
      return .passed
    }
  }

  private static var hidden: Check {
    check("hidden-labels", "What stands at hidden labels changes no result.") { bench in
      func results(_ stand: Int64) throws -> [Measured] {
        try bench.results(
          bench.batches([24, 24, 24]) { batch in
            let count = try batch.inputs.size(0)
            batch.labels = try Tensor((0..<count).map { $0 % 4 < 2 ? stand : Int64($0 % 3) }).to(bench.device)
            batch.labelled = try Tensor((0..<count).map { Int64($0 % 4) }).to(bench.device) .>= 2
          })
      }
      do {
        try ConformanceKit.require(try results(0) == results(2), "what stands at hidden labels changes a result")
      } catch let refusal as RecipeError { return .skipped("it refuses hidden labels: \(refusal)") }
      return .passed
    }
  }

  private static var settings: Check {
    check(
      "settings", "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { bench in
      var count = 0
      for (setting, value) in bench.subject.trials {
        try bench.subject.trying(setting, value) {
          let other = try bench.with([setting: value])
          try require(other.results(other.batches()), "then")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}
