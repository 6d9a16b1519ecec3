import IntraClassVariance
import LatentKit
import Statistics
import TestSupport
import Testing

/// Forty latents of four classes around points of their own.
private func set(seed: UInt64, spread: Double = 1) throws -> LatentSet {
  var generator = try Generator(seed: seed)
  let labels = (0..<40).map { Int64($0 % 4) }
  let offsets = try Tensor(labels.flatMap { [Double($0), Double($0 * $0)] }, shape: [40, 2])
  return LatentSet(
    latents: try generator.normal([40, 2], dtype: .float64) * spread + offsets, labels: try Tensor(labels))
}

private func evaluation(
  _ measured: LatentSet, unseen: LatentSet? = nil, scores: Tensor? = nil, isRehearsal: Bool = false
)
  throws -> Evaluation
{
  Evaluation(
    measured: measured, scores: scores,
    model: Model(encoder: FixedEncoder(latents: measured.latents), prior: FlatPrior()),
    classCount: 4, random: RandomSource(try Generator(seed: 1)),
    training: Evaluation.TrainingReference({ try set(seed: 5) }, unseen: unseen.map { set in { set } }),
    isRehearsal: isRehearsal)
}

private func number(_ found: [Measured], _ name: String) throws -> Double {
  try #require(found.first { $0.name == name }?.value)
}

@Test(arguments: ClassVariance.Form.allCases) func theFormsOfVarianceAgree(form: ClassVariance.Form) throws {
  let latents = try set(seed: 1)
  let found = try ClassVariance(.init(["form": .string(form.rawValue)], at: "with"), in: context(classes: 4))
    .finish(evaluation(latents))
  let points = try rows(latents.latents)
  let means = try rows(latents.classMeans(4))
  let within = points.indices.reduce(0.0) { $0 + square(points[$1], means[$1 % 4]) } / 40
  let grand = (0..<2).map { axis in points.reduce(0) { $0 + $1[axis] } / 40 }
  let between = means.reduce(0) { $0 + square($1, grand) } / 4
  #expect(abs(try number(found, "within-class variance") - within) < 1e-10)
  #expect(abs(try number(found, "between-class variance") - between) < 1e-10)
  #expect(abs(try number(found, "total variance") - within - between) < 1e-10)
  #expect(abs(try number(found, "Fisher ratio") - within / between) < 1e-10)
  let table = try #require(found.last?.table)
  #expect(table.rows == ["0", "1", "2", "3", "all"] && table.columns == ["share", "variance", "mean 1", "mean 2"])
  #expect(
    table.values[4].suffix(2).map { $0! } == grand || square(table.values[4].suffix(2).map { $0! }, grand) < 1e-20)
}

@Test func theFisherRatioIgnoresScale() throws {
  let latents = try set(seed: 1)
  let metric = try ClassVariance(.init(), in: context(classes: 4))
  let small = LatentSet(latents: try latents.latents * 0.01, labels: latents.labels)
  let (one, other) = (try metric.finish(evaluation(latents)), try metric.finish(evaluation(small)))
  #expect(abs(try number(one, "Fisher ratio") - number(other, "Fisher ratio")) < 1e-10)
  #expect(abs(try number(one, "within-class variance") - 1e4 * number(other, "within-class variance")) < 1e-8)
}

@Test func collapsedLatentsAreToldAndAgreementIsCounted() throws {
  let measured = try set(seed: 2, spread: 0)
  // Scores say class 0 for every example: that of the nearest mean for the ten of class 0.
  let scores = try Tensor((0..<40).flatMap { _ in [1.0, 0, 0, 0] }, shape: [40, 4])
  let metric = try NeuralCollapseMetric(NoConfig(), in: context(classes: 4))
  let found = try metric.finish(evaluation(measured, scores: scores))
  #expect(abs(try number(found, "within-class collapse")) < 1e-12)
  let nearest = try NearestMean(set(seed: 5).classMeans(4)).classes(of: measured.latents).ints()
  #expect(
    abs(try number(found, "agreement of nearest mean and score") - 100 * Double(nearest.count { $0 == 0 }) / 40) < 1e-9)
  #expect(try metric.finish(evaluation(set(seed: 2)))[1].value == nil)
}

@Test func openSetMetricsLookAtUnseenClassesWhereThereAreSome() throws {
  let (measured, unseen) = (try set(seed: 1), try set(seed: 7, spread: 0.01))
  let verification = try Verification(.init(), in: context(classes: 4))
  let curve = try OperatingCurve(pairsOf: measured.latents, labels: #require(measured.labels))
  let own = try verification.finish(evaluation(measured))
  #expect(abs(try number(own, "verification AUC") - curve.area) < 1e-12)
  #expect(abs(try number(own, "equal error rate") - 100 * curve.equalErrorRate) < 1e-9)
  let other = try verification.finish(evaluation(measured, unseen: unseen))
  #expect(try number(other, "verification AUC") == 1)
  let measuring = try Verification(.init(["of": "measured"], at: "with"), in: context(classes: 4))
  #expect(try measuring.finish(evaluation(measured, unseen: unseen)) == own)
  let retrieval = try RetrievalMetric(.init(), in: context(classes: 4))
  #expect(try number(retrieval.finish(evaluation(measured, unseen: unseen)), "MAP@R") == 100)
  #expect(try number(retrieval.finish(evaluation(measured)), "MAP@R") < 90)
  let enrolment = try EnrolmentMetric(.init(), in: context(classes: 4))
  let enrolled = try enrolment.finish(evaluation(measured, unseen: unseen))
  #expect(try number(enrolled, "enrolment accuracy") == 100)
  #expect(try number(enrolled, "enrolment accuracy beside known classes") <= 100)
  #expect(try enrolment.finish(evaluation(measured)).count == 1)
  // Draws are averaged: one alone differs, and the same come at each evaluation.
  func accuracy(draws: Int) throws -> Double {
    let metric = try EnrolmentMetric(.init(["examples": 1, "draws": .int(draws)], at: "with"), in: context(classes: 4))
    return try number(metric.finish(evaluation(measured)), "enrolment accuracy")
  }
  #expect(try accuracy(draws: 5) == accuracy(draws: 5) && accuracy(draws: 5) != accuracy(draws: 1))
}

@Test func fewerExamplesAreAChoiceThatRepeats() throws {
  let metric = try RetrievalMetric(.init(["examples": 20], at: "with"), in: context(classes: 4))
  let measured = try set(seed: 1)
  #expect(try metric.finish(evaluation(measured)) == metric.finish(evaluation(measured)))
}

@Test func unseenClassesThatAreMissingAreRefused() throws {
  let metric = try Verification(.init(["of": "unseen"], at: "with"), in: context(classes: 4))
  #expect(
    message { _ = try metric.finish(evaluation(set(seed: 1))) }
      == "metric 'verification' is set to unseen classes, and the data hold out none; set data.holdOut")
  _ = try metric.finish(evaluation(set(seed: 1), isRehearsal: true))
}
