import LatentKit
import Testing

@testable import Recipes

@Suite struct Composing {
  private func compose(_ yaml: String, for data: DataShape = digits) throws -> Composition {
    try composer.compose(recipe(yaml), for: data)
  }

  @Test func partsAndLossesHaveParametersUnderTheirNames() throws {
    let made = try compose(
      """
      encoder: mlp
      classifier: linear
      prior: learned
      stages:
        - {name: first, train: [encoder], losses: [intra-class-variance, intra-class-variance]}
        - {name: second, steps: [{train: [decoder], losses: [mse]}, {train: [encoder], losses: [intra-class-variance]}]}
      """)
    #expect(
      made.store.parameters.map(\.name) == [
        "encoder.layer.weight", "encoder.layer.bias", "prior.mean", "decoder.layer.weight", "decoder.layer.bias",
        "classifier.layer.weight", "classifier.layer.bias", "losses.first.0.intra-class-variance.centroids",
        "losses.first.0.intra-class-variance-2.centroids", "losses.second.1.intra-class-variance.centroids",
      ])
    #expect(
      made.modes.keys.sorted() == [
        "classifier", "decoder", "encoder", "losses.first.0.intra-class-variance",
        "losses.first.0.intra-class-variance-2",
        "losses.second.0.mse", "losses.second.1.intra-class-variance", "prior",
      ])
    #expect(Set(made.modes.values.map(ObjectIdentifier.init)).count == made.modes.count)
    #expect(
      made.stages[0].steps[0].parameters.map(\.name) == [
        "encoder.layer.weight", "encoder.layer.bias", "losses.first.0.intra-class-variance.centroids",
        "losses.first.0.intra-class-variance-2.centroids",
      ])
    #expect(made.stages[1].steps[0].parameters.map(\.name) == ["decoder.layer.weight", "decoder.layer.bias"])
    #expect(made.stages[0].steps[0].losses.map(\.name) == ["intra-class-variance", "intra-class-variance-2"])
    #expect(made.recipe == (try composer.resolve(made.recipe)))
  }

  @Test func theSameRecipeGivesTheSameBits() throws {
    let yaml = "{seed: 5, encoder: mlp, prior: pedcc, classifier: linear}"
    let (one, two) = (try compose(yaml), try compose(yaml))
    for (a, b) in zip(one.store.parameters, two.store.parameters) {
      #expect(a.name == b.name)
      #expect(try a.tensor.bytes() == b.tensor.bytes())
    }
    let other = try compose(yaml.replacing("seed: 5", with: "seed: 6"))
    #expect(try one.store.parameters[0].tensor.bytes() != other.store.parameters[0].tensor.bytes())
    // A part that is added changes nothing about the others.
    let without = try compose(yaml.replacing(", classifier: linear", with: ""))
    for (a, b) in zip(one.store.parameters, without.store.parameters) {
      #expect(try a.tensor.bytes() == b.tensor.bytes())
    }
  }

  @Test func projectionsChooseMatricesByTheBeginningOfTheirName() throws {
    func projected(_ project: String) throws -> [String] {
      let made = try compose(
        "{encoder: mlp, stages: [{losses: [intra-class-variance], train: [encoder], then: [{project: \(project)}]}]}")
      guard case .project(_, let parameters) = made.stages[0].actions[0] else { return [] }
      return parameters.map(\.name)
    }
    #expect(try projected("l11-ball") == ["encoder.layer.weight", "decoder.layer.weight"])
    #expect(try projected("{use: l11-ball, parameters: [decoder]}") == ["decoder.layer.weight"])
    #expect(
      message { _ = try projected("{use: l11-ball, parameters: [encodr]}") }
        == """
        stage 'main' projects weights: there is no weight of two or more axes below 'encodr'; known: encoder, decoder. \
        Did you mean 'encoder'?
        """
    )
  }

  @Test(arguments: [
    (
      "{encoder: mlp, stages: [{train: [classifier], losses: [mse]}]}",
      "stage 'main' trains classifier, which this recipe does not have; add 'classifier: NAME', or take it out of train"
    ),
    (
      "{encoder: mlp, decoder: none, stages: [{train: [decoder], losses: [kl]}]}",
      "stage 'main' trains decoder, which this recipe does not have"
    ),
    (
      "{encoder: mlp, stages: [{train: [prior], losses: [mse]}]}",
      "stage 'main' trains prior, but prior 'standard-normal' has no weights; take it out of train"
    ),
    ("{encoder: {use: mlp, with: {latent: 0}}}", "encoder 'mlp' makes latents of 0 values, expected 1 or more"),
  ])
  func whatCannotBeTrainedIsRefused(yaml: String, expected: String) throws {
    let found = message { _ = try compose(yaml) }
    #expect(found?.hasPrefix(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func partsThatNeedLabelsSaySo() throws {
    var unlabelled = digits
    unlabelled.classCount = nil
    let found = message { _ = try compose("{encoder: mlp, classifier: linear}", for: unlabelled) }
    #expect(found?.hasPrefix("classifier 'linear' needs labels") == true)
  }
}

@Suite struct DryRuns {
  private func problem(_ yaml: String, for data: DataShape = digits) -> String? {
    message { try composer.dryRun(recipe(yaml), for: data) }
  }

  @Test(arguments: [
    "encoder: mlp", "{encoder: conv, prior: pedcc}",
    "{encoder: mlp, prior: learned, decoder: none, stages: [{train: [encoder], losses: [kl]}]}",
    """
    encoder: mlp
    decoder: none
    classifier: {use: mlp, with: {dropout: 0.5}}
    stages: [{losses: [cross-entropy, intra-class-variance]}]
    """,
    """
    encoder: mlp
    discriminator: conv
    stages:
      - steps: [{train: [discriminator], losses: [least-squares-critic]}, {train: [decoder], losses: [adversarial]}]
        then: [{project: l11-ball}, mask, rewind]
    """,
    "{encoder: mlp, stages: []}",
    "{encoder: mlp, prior: fitted}",
  ])
  func modelsThatFitPass(yaml: String) {
    #expect(problem(yaml) == nil)
    #expect(
      problem(yaml, for: DataShape(title: "data 'cells'", inputShape: [6], inputRange: nil, classCount: 2)) == nil)
  }

  @Test func aDecoderOfAnotherSizeIsNamedWithTheData() {
    let found = problem("{data: mnist, encoder: mlp, decoder: {use: deconv, with: {side: 32}}}")
    #expect(
      found
        == """
        decoder 'deconv' makes images of [1, 32, 32], but data 'mnist' has [1, 28, 28], which encoder 'mlp' reads; \
        set data.pad=2 or choose decoder 'mlp'
        """
    )
    // What is padded already counts, as the data say it.
    var larger = digits
    (larger.inputShape, larger.padding) = ([1, 30, 30], 1)
    let padded = problem("{data: mnist, encoder: mlp, decoder: {use: deconv, with: {side: 32}}}", for: larger)
    #expect(padded?.hasSuffix("set data.pad=2 or choose decoder 'mlp'") == true)
    let odd = problem("{data: mnist, encoder: mlp, decoder: {use: mlp, with: {side: 31}}}")
    #expect(odd?.hasSuffix("which encoder 'mlp' reads; choose another decoder") == true)
  }

  @Test(arguments: [
    ("encoder: lying", "encoder 'lying' makes codes of shape [4, 4] for a batch of 4, expected [4, 5]"),
    (
      "{encoder: mlp, prior: {use: pedcc, with: {shape: scalar}}}",
      "prior 'pedcc' makes log densities of shape [] for a batch of 4, expected [4]"
    ),
    (
      "{encoder: mlp, classifier: {use: mlp, with: {extra: 1}}}",
      "classifier 'mlp' makes scores of shape [4, 11] for a batch of 4, expected [4, 10]"
    ),
    ("{encoder: mlp, decoder: {use: mlp, with: {scale: 1e30}}}", "decoder 'mlp' makes numbers that are not finite"),
    (
      "{encoder: mlp, stages: [{losses: [cross-entropy], train: [encoder]}]}",
      "stage 'main', loss 'cross-entropy': this step needs a classifier"
    ),
    (
      "{encoder: mlp, decoder: none, stages: [{losses: [mse], train: [encoder]}]}",
      "stage 'main', loss 'mse': this step needs a decoder"
    ),
    (
      "{encoder: mlp, stages: [{losses: [adversarial]}]}",
      "stage 'main', loss 'adversarial': this step needs a discriminator"
    ),
    (
      "{encoder: mlp, stages: [{losses: [{use: mse, with: {fault: vector}}]}]}",
      "stage 'main', loss 'mse': term 'mse' has the shape [4], expected one number"
    ),
    (
      "{encoder: mlp, stages: [{losses: [{use: mse, with: {fault: infinite}}]}]}",
      "stage 'main', loss 'mse': term 'mse' is inf for random inputs"
    ),
    (
      "{encoder: mlp, stages: [{losses: [{use: mse, with: {fault: shape}}]}]}",
      "stage 'main', loss 'mse': matmul of [4, 784] and [4, 784]"
    ),
    (
      "{encoder: mlp, stages: [{train: [encoder, decoder], losses: [kl, centroid]}]}",
      "stage 'main' trains decoder, but none of its losses kl, centroid reaches it"
    ),
    (
      """
      encoder: mlp
      discriminator: conv
      stages: [{steps: [{train: [encoder], losses: [kl]}, {train: [encoder], losses: [least-squares-critic]}]}]
      """,
      "stage 'main', steps[1] trains encoder, but none of its losses least-squares-critic reaches it"
    ),
  ])
  func whatDoesNotFitIsNamed(yaml: String, expected: String) {
    let found = problem(yaml)
    #expect(found?.hasPrefix(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func anEncoderThatCannotReadTheDataIsNamed() {
    var padded = digits
    padded.inputShape = [1, 32, 32]
    let found = problem("encoder: fixed", for: padded)
    #expect(
      found?.hasPrefix("encoder 'fixed' cannot read inputs [1, 32, 32] of data 'mnist': linear of [4, 1024]") == true)
    #expect(problem("encoder: fixed") == nil)
  }

  @Test func lossesThatNeedLabelsAreNamed() {
    var unlabelled = digits
    unlabelled.classCount = nil
    let found = problem(
      """
      encoder: {use: mlp, with: {latent: 10}}
      stages: [{losses: [{use: cross-entropy, with: {scores: latents}}], train: [encoder]}]
      """,
      for: unlabelled)
    #expect(found?.hasPrefix("stage 'main', loss 'cross-entropy': a loss needs labels") == true)
  }

  @Test func aPrecisionThatTheDeviceDoesNotHaveIsRefused() throws {
    for precision in ["tf32", "float16"] {
      let reason = "precision: found \(precision), which device cpu does not have, expected one of: float32, bf16"
      #expect(problem("{encoder: mlp, precision: \(precision)}") == reason)
    }
    // A warning, and no refusal, where it is slower.
    try composer.dryRun(recipe("{encoder: mlp, precision: bf16}"), for: digits)
    #expect(
      DryRun.warning(about: .bf16, gain: 0.4)
        == "precision is bf16, and a convolution on this processor takes 2.5 times as long in it as in float32; leave "
        + "precision out for speed")
    for gain in [0.97, 1, 1.6] { #expect(DryRun.warning(about: .bf16, gain: gain) == nil) }
  }

  @Test func aMetricThatAsksForAMissingPartIsNamed() throws {
    let catalog = try Catalog(
      [StubPlugin.self], adding: [.metric("reader", ReadingMetric.self, "reads reconstructions")])
    let yaml = "{encoder: mlp, decoder: none, metrics: [reader], stages: [{losses: [kl], train: [encoder]}]}"
    let found = message { try Composer(catalog).dryRun(recipe(yaml), for: digits) }
    #expect(try #require(found).hasPrefix("metric 'reader': this step needs a decoder"))
  }
}

private struct ReadingMetric: Metric, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  mutating func update(_ forward: Forward) throws { _ = try forward.reconstruction }
  func finish(_ evaluation: Evaluation) throws -> [Measured] { [] }
}
