import ConformanceKit
import LatentKit
import Testing

/// What is wrong with an encoder, and the check that finds it.
private enum EncoderFlaw: String, Flaw {
  case shape = "shapes"
  case type = "shapes/float"
  case overflow = "extremes"
  case detached = "reached"
  case idleWeight = "reached/idle"
  case strayDraws = "same-seed"
  case draws = "evaluation/draws"
  case movesBuffer = "evaluation"
  case keepsCount = "evaluation/output"
  case centred = "rows"
  case unsaved = "saved"
  case diverges = "training"
  case missingGradient = "gradients"
  case fixedType = "gradients/float32"
}

/// `tanh` of a linear layer, with one flaw or none.
private final class FlawedEncoder: Encoder, @unchecked Sendable {
  let latentSize = 3
  private let layer: Linear
  private let idle: Tensor?
  private let total: Tensor?
  private let scope: Scope
  private let flaw: EncoderFlaw?
  private let stray = Stray()
  private var calls = 0.0

  init(_ flaw: EncoderFlaw?, _ context: BuildContext) throws {
    (self.flaw, scope) = (flaw, context.scope)
    layer = try Linear(context.inputSize, flaw == .shape ? 4 : 3, in: context.scope("layer"))
    idle = flaw == .idleWeight ? try context.scope.parameter("idle", [2], .constant(0)) : nil
    total = flaw == .movesBuffer ? try context.scope.buffer("total", .zeros([1])) : nil
  }

  func encode(_ batch: Batch) throws -> Code {
    let inputs = try batch.inputs.contiguous().flattened()
    calls += 1
    var latents = try layer(inputs).tanh()
    switch flaw {
    case .type: latents = try latents.to(.float64)
    case .overflow: latents = try latents + (inputs.sum(axis: 1, keep: true) * 10).exp()
    case .detached: latents = try latents.detached()
    case .strayDraws: latents = try latents + stray.normal(latents.shape, like: latents)
    case .draws: latents = try latents + scope.mode.generator.normal(latents.shape).to(latents.dtype) * 1e-3
    case .movesBuffer: try total?.addInPlace(.ones([1], dtype: scope.dtype))
    case .keepsCount: latents = try latents + calls * 0.01
    case .centred: latents = try latents - latents.mean(axis: 0, keep: true)
    case .unsaved where scope.mode.isTraining: calls += 1
    case .unsaved: latents = try latents * (calls > 3 ? 2 : 1)
    case .diverges where scope.mode.isTraining && calls > 4: latents = try latents / (latents - latents)
    case .missingGradient: latents = try latents + (inputs.square().sum(axis: 1, keep: true) * 0.1).detached()
    case .fixedType: latents = try latents.to(.float32)
    default: break
    }
    return .point(latents)
  }
}

@Suite struct EncoderChecks {
  @Test func aSoundEncoderConforms() throws {
    expectConforming(try findings(.encoder) { try FlawedEncoder(nil, $1) })
  }

  @Test(arguments: EncoderFlaw.allCases) fileprivate func flawsAreFound(_ flaw: EncoderFlaw) throws {
    expectFault(try finding(flaw.check, .encoder) { try FlawedEncoder(flaw, $1) }, in: flaw.check)
  }

  @Test func anEncoderThatTakesNoDataIsAFault() throws {
    let findings = try findings(.encoder) { _, context -> any Encoder in
      throw RecipeError("\(context.title) takes images of 99 x 99")
    }
    expectFault(findings, in: "fits", "99 x 99")
  }

  @Test func aTrapOfLibtorchAtTheEndOfARangeIsAFault() throws {
    let hidden = SettingDescription("hidden", default: 3, "Width of the hidden layer.", .within(0...8))
    let findings = try findings(.encoder, settings: [hidden]) { settings, context -> any Encoder in
      if try settings.int("hidden") == 0 { _ = try Tensor.zeros([2]).reshaped([3]) }
      return try FlawedEncoder(nil, context)
    }
    expectFault(findings, in: "settings", "hidden: 0")
  }
}
