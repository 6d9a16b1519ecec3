import Foundation
import LatentKit
import TestSupport
import Testing

@testable import ForeignParts

/// Losses of other languages with their gradients.
@Suite struct Losses {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// An encoder and a decoder that pass on what they are given.
  private struct Same: Encoder, LatentKit.Decoder {
    let latentSize = 2
    func encode(_ batch: Batch) throws -> Code { .point(batch.inputs) }
    func decode(_ request: LatentBatch) throws -> Tensor { try request.latents * 2 }
  }

  private func loss(_ catalog: Catalog, _ name: String, classes: Int? = nil) throws -> any Loss {
    try catalog[.loss][name].make([:], at: "losses[0].with", in: context(classes: classes, title: "loss '\(name)'"))
  }

  private func forward(_ inputs: Tensor, labels: [Int64]? = nil) throws -> Forward {
    let model = Model(encoder: Same(), decoder: Same(), prior: Normal())
    return Forward(
      Batch(inputs: inputs, labels: try labels.map { try Tensor($0) }), through: model, training: true,
      drawing: RandomSource(try Generator(seed: 1)))
  }

  @Test func aLossInCHasItsValueAndItsGradient() throws {
    let loss = try self.loss(Catalog([]).adding(foreign: [scratch.example("logcosh.c")]), "log-cosh")
    let inputs = try Tensor([0.5, -1, 2, 30, 0, 0.1], shape: [3, 2])
    let term = try #require(try loss.terms(forward(inputs), under: Normal()).first)
    #expect(term.name == "log-cosh")
    // The reconstruction is twice the input: its error is the input.
    let expected = [[0.5, -1], [2, 30], [0, 0.1]].map { $0.reduce(0) { $0 + log(cosh($1)) } }
    #expect(zip(try term.values().doubles(), expected).allSatisfy { abs($0 - $1) < 1e-12 })
    // Of the inputs' two ways into the loss, the library gives the gradient by the reconstruction.
    let leaf = try inputs.clone().requiringGradient()
    let value = try loss.terms(forward(leaf), under: Normal())[0].value
    let gradient = try #require(try value.gradients(by: [leaf])[0]).doubles()
    #expect(zip(gradient, [0.5, -1, 2, 30, 0, 0.1]).allSatisfy { abs($0 - 2 * tanh($1) / 3) < 1e-12 })
    #expect(try !withoutGradients { try loss.terms(forward(leaf), under: Normal())[0].value }.requiresGradient)
  }

  private static let classLatent = """
    - loss: class-latent
      summary: the latent of the class
      terms:
        call: class_latent
        takes: [latents: float*, labels: int64_t*, latent-gradients: float*, latent: int]
        returns: {loss: float}
    """

  @Test func aLossOfOneExampleIsCalledForEachWithItsLabel() throws {
    let catalog = try scratch.hostile(Self.classLatent)
    #expect(
      problem(in: scratch) { _ = try self.loss(catalog, "class-latent") }
        == "loss 'class-latent' needs labels, and the data have none; choose a labelled dataset")
    let loss = try self.loss(catalog, "class-latent", classes: 2)
    #expect(loss.needs == .labels)
    let leaf = try Tensor([0.5, -1, 2, 30, 0, 0.25], shape: [3, 2]).requiringGradient()
    let term = try loss.terms(forward(leaf, labels: [0, 1, 1]), under: Normal())[0]
    #expect(try term.values().doubles() == [0.5, 30, 0.25])
    #expect(try term.value.gradients(by: [leaf])[0]?.doubles() == [1.0 / 3, 0, 0, 1.0 / 3, 0, 1.0 / 3])
    #expect(
      problem(in: scratch) { _ = try loss.terms(forward(leaf, labels: [0, 1, 2]), under: Normal()) }
        == "loss 'class-latent': found the class 2, expected 0 to 1")
  }

  @Test func aLossThatIsNotANumberIsRefused() throws {
    let catalog = try scratch.hostile(
      """
      - loss: nan
        summary: not a number
        terms:
          call: nan_loss
          takes: [latents: double*, rows: int64_t, latent: int64_t, losses: double*, latent-gradients: double*]
      """)
    let inputs = try Tensor([0.5, -1], shape: [1, 2])
    #expect(
      problem(in: scratch) { _ = try loss(catalog, "nan").terms(forward(inputs), under: Normal()) }
        == "loss 'nan': 'nan_loss' of ./libhostile.so gave NaN for row 0 of 1")
  }
}
