import ConformanceKit
import LatentKit
import Testing

/// What is wrong with a part that maps a batch, and the check that finds it.
private enum MapFlaw: String, Flaw {
  case takesNothing = "fits"
  case shape = "shapes"
  case type = "shapes/float64"
  case outsideScope = "parameters"
  case infiniteWeight = "parameters/finite"
  case strayDraws = "same-seed"
  case ignoresSeed = "same-seed/weights"
  case movesBuffer = "evaluation"
  case keepsCount = "evaluation/output"
  case draws = "evaluation/draws"
  case changesInput = "evaluation/input"
  case centred = "rows"
  case overflow = "extremes"
  case smallestSize = "settings"
  case infiniteSize = "settings/infinite"
  case unsaved = "saved"
  case diverges = "training"
  case detached = "reached"
  case idleWeight = "reached/idle"
  case missingGradient = "gradients"
  case fixedType = "gradients/float32"
}

/// `tanh` of a linear layer, with one flaw or none.
private final class FlawedMap: @unchecked Sendable {
  private let layer: Linear
  private let idle: Tensor?
  private let total: Tensor?
  private let scope: Scope
  private let flaw: MapFlaw?
  private let stray = Stray()
  private let size: Int
  private var calls = 0.0

  init(_ flaw: MapFlaw?, _ inputs: Int, _ outputs: Int, _ settings: SettingValues, _ context: BuildContext) throws {
    (self.flaw, scope, size) = (flaw, context.scope, try settings.int("size"))
    if flaw == .takesNothing { throw RecipeError("\(context.title) takes images of 99 x 99") }
    if flaw == .smallestSize, size == 0 { _ = try Tensor.zeros([2]).reshaped([3]) }
    layer = try Linear(inputs, flaw == .shape ? outputs + 1 : outputs, in: context.scope("layer"))
    if flaw == .ignoresSeed {
      for parameter in context.scope.store.parameters {
        var own = try Generator(seed: 7)
        try parameter.tensor.copyInPlace(own.normal(parameter.tensor.shape).to(context.scope.dtype))
      }
    }
    idle = flaw == .idleWeight ? try scope.parameter("idle", [2], .constant(0)) : nil
    total = flaw == .movesBuffer ? try scope.buffer("total", .zeros([1])) : nil
    if flaw == .infiniteWeight { _ = try scope.buffer("scale", .full([1], .infinity)) }
    if flaw == .outsideScope {
      _ = try Scope(path: "elsewhere", store: scope.store, dtype: scope.dtype).buffer("total", .zeros([1]))
    }
  }

  /// `[batch, inputs]` to `[batch, outputs]`.
  func callAsFunction(_ given: Tensor) throws -> Tensor {
    if flaw == .changesInput { try withoutGradients { try given.detached().multiplyInPlace(0.5) } }
    let inputs = try given.contiguous().flattened()
    calls += 1
    var outputs = try layer(inputs).tanh()
    switch flaw {
    case .type: outputs = try outputs.to(.float64)
    case .overflow: outputs = try outputs + (inputs.sum(axis: 1, keep: true) * 10).exp()
    case .detached: outputs = try outputs.detached()
    case .strayDraws: outputs = try outputs + stray.normal(outputs.shape, like: outputs)
    case .draws: outputs = try outputs + scope.mode.generator.normal(outputs.shape).to(outputs.dtype) * 1e-3
    case .movesBuffer: try total?.addInPlace(.ones([1], dtype: scope.dtype))
    case .keepsCount: outputs = try outputs + calls * 0.01
    case .centred: outputs = try outputs - outputs.mean(axis: 0, keep: true)
    case .infiniteSize where size == 4: outputs = try outputs / 0
    case .unsaved where scope.mode.isTraining: calls += 1
    case .unsaved: outputs = try outputs * (calls > 3 ? 2 : 1)
    case .diverges where scope.mode.isTraining && calls > 4: outputs = try outputs / (outputs - outputs)
    case .missingGradient: outputs = try outputs + (inputs.square().sum(axis: 1, keep: true) * 0.1).detached()
    case .fixedType: outputs = try outputs.to(.float32)
    default: break
    }
    return outputs
  }
}

private struct MapEncoder: Encoder {
  let latentSize = 3
  let map: FlawedMap
  func encode(_ batch: Batch) throws -> Code { .point(try map(batch.inputs)) }
}

private struct MapDecoder: LatentKit.Decoder {
  let map: FlawedMap
  let shape: [Int]
  func decode(_ request: LatentBatch) throws -> Tensor {
    let values = try map(request.latents)
    // One value too many has no place in an image.
    guard try values.size(1) == shape.reduce(1, *) else { return values }
    return try values.reshaped([values.size(0)] + shape)
  }
}

private struct MapClassifier: Classifier {
  let map: FlawedMap
  func scores(_ request: LatentBatch) throws -> Tensor { try map(request.latents) }
}

private struct MapDiscriminator: Discriminator {
  let map: FlawedMap
  func score(_ batch: Batch) throws -> Tensor { try map(batch.inputs) }
}

private struct MapPrior: UnnormalizedPrior {
  let map: FlawedMap
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try map(latents).sum(axis: 1) }
}

private func make<Role>(
  _ flaw: MapFlaw?, _ role: @escaping @Sendable (FlawedMap, BuildContext) -> Role,
  _ sizes: @escaping @Sendable (BuildContext) throws -> (Int, Int)
) -> @Sendable (SettingValues, BuildContext) throws -> Role {
  { settings, context in
    let (inputs, outputs) = try sizes(context)
    return role(try FlawedMap(flaw, inputs, outputs, settings, context), context)
  }
}

private typealias Making<Role> = @Sendable (SettingValues, BuildContext) throws -> Role

private func encoder(_ flaw: MapFlaw?) -> Making<any Encoder> {
  make(flaw, { map, _ in MapEncoder(map: map) }, { ($0.inputSize, 3) })
}
private func decoder(_ flaw: MapFlaw?) -> Making<any LatentKit.Decoder> {
  make(flaw, { MapDecoder(map: $0, shape: $1.inputShape) }, { ($0.latentSize, $0.inputSize) })
}
private func classifier(_ flaw: MapFlaw?) -> Making<any Classifier> {
  make(flaw, { map, _ in MapClassifier(map: map) }, { ($0.latentSize, try $0.requireClasses()) })
}
private func discriminator(_ flaw: MapFlaw?) -> Making<any Discriminator> {
  make(flaw, { map, _ in MapDiscriminator(map: map) }, { ($0.inputSize, 1) })
}
private func prior(_ flaw: MapFlaw?) -> Making<any Prior> {
  make(flaw, { map, _ in MapPrior(map: map) }, { ($0.latentSize, 1) })
}

extension BrokenPart {
  private static func maps<Role>(
    _ key: SlotKey<Role>, without others: [MapFlaw] = [], _ make: (MapFlaw?) -> Making<Role>
  ) -> [BrokenPart] {
    MapFlaw.allCases.filter { !others.contains($0) }.map {
      BrokenPart(key, $0.check, "\($0)", settings: [breaking], make: make($0))
    } + [
      BrokenPart(
        key, "shapes", "forgets the device", words: "on cpu, expected", device: otherDevice, settings: [breaking],
        make: make(nil))
    ]
  }

  static let maps =
    maps(.encoder, encoder) + maps(.decoder, decoder) + maps(.classifier, classifier)
    + maps(.discriminator, discriminator)
    // A density is a sum over what a prior maps to, whatever that is.
    + maps(.prior, without: [.shape], prior)

  /// Flaws of encoders alone.
  static let encoders: [BrokenPart] = [
    BrokenPart(.encoder, "layout", "reads images as they lie") { _, context in
      LayoutMap(layer: try Linear(context.inputSize, 3, in: context.scope))
    },
    BrokenPart(.encoder, "features", "other rows", words: "expected [5, …]") { try Layered(.rows, $1) },
    BrokenPart(.encoder, "features", "none", words: "no hidden layers") { try Layered(.missing, $1) },
    BrokenPart(.encoder, "features", "another code", words: "another") { try Layered(.code, $1) },
    BrokenPart(.encoder, "features", "infinite", words: "not finite") { try Layered(.infinite, $1) },
    BrokenPart(.encoder, "reached", "an idle weight beside those of losses", words: "encoder.spreader.weight") {
      try Excusing(["spread"], $1)
    },
  ]

  static let decoders: [BrokenPart] = [
    BrokenPart(.decoder, "shapes", "a transposed image") { _, context in
      let shape = context.inputShape
      let layer = try Linear(context.latentSize, context.inputSize, in: context.scope)
      return LinearDecoder(layer: layer, shape: shape.reversed() + (shape.count == 1 ? [1] : []), asksForLabels: false)
    }
  ]
  static let discriminators: [BrokenPart] = [
    BrokenPart(.discriminator, "layout", "reads images as they lie") { _, context in
      LayoutMap(layer: try Linear(context.inputSize, 1, in: context.scope))
    }
  ]
}

/// A linear layer whose output depends on where the channels of images lie in memory.
private struct LayoutMap: Encoder, Discriminator {
  let layer: Linear
  let latentSize = 3
  func score(_ batch: Batch) throws -> Tensor {
    let values = try layer(batch.inputs.contiguous().flattened())
    return batch.inputs.isChannelsLast ? values : try values * 2
  }
  func encode(_ batch: Batch) throws -> Code { .point(try score(batch)) }
}

/// An encoder with weights that no code depends on, of which it excuses some.
private struct Excusing: Encoder {
  let layer: Linear
  let latentSize = 3
  let weightsOfLosses: [String]

  init(_ excused: [String], _ context: BuildContext) throws {
    layer = try Linear(context.inputSize, 3, in: context.scope("layer"))
    _ = try Linear(2, 2, in: context.scope("spread"))
    _ = try Linear(2, 2, in: context.scope("spreader"))
    weightsOfLosses = excused
  }

  func encode(_ batch: Batch) throws -> Code { .point(try layer(batch.inputs.contiguous().flattened())) }
}

/// An encoder of two layers whose features have one flaw or none.
private struct Layered: FeatureEncoder {
  enum Flaw { case rows, missing, code, infinite }
  let hidden: Linear
  let last: Linear
  let flaw: Flaw?
  let latentSize = 3

  init(_ flaw: Flaw?, _ context: BuildContext) throws {
    hidden = try Linear(context.inputSize, 5, in: context.scope("hidden"))
    last = try Linear(5, 3, in: context.scope("last"))
    self.flaw = flaw
  }

  func encode(_ batch: Batch) throws -> Code {
    .point(try last(hidden(batch.inputs.contiguous().flattened()).tanh()))
  }

  func features(_ batch: Batch) throws -> [Tensor] {
    let values = try hidden(batch.inputs.contiguous().flattened()).tanh()
    return switch flaw {
    case .rows: [try values.sum(axis: 0, keep: true)]
    case .missing: []
    case .infinite: [try values / 0]
    default: [values]
    }
  }

  func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let code = try encode(batch)
    return (flaw == .code ? .point(try code.mean * 2) : code, try features(batch))
  }
}

/// A linear decoder, conditioned on the class or not.
private struct LinearDecoder: LatentKit.Decoder {
  let layer: Linear
  let shape: [Int]
  let asksForLabels: Bool
  var needs: DataNeeds { asksForLabels ? .labels : [] }
  func decode(_ request: LatentBatch) throws -> Tensor {
    var values = try layer(request.latents)
    if asksForLabels {
      values = try values + request.requireLabels(for: "part").to(values.dtype).unsqueezed(1) * 0.1
    }
    return try values.reshaped([request.latents.size(0)] + shape)
  }
}

@Suite struct Maps {
  @Test func soundPartsConform() throws {
    expectConforming(try findings(.encoder, settings: [breaking], make: encoder(nil)))
    expectConforming(try findings(.decoder, settings: [breaking], make: decoder(nil)))
    expectConforming(try findings(.classifier, settings: [breaking], make: classifier(nil)))
    expectConforming(try findings(.discriminator, settings: [breaking], make: discriminator(nil)))
    expectConforming(try findings(.prior, settings: [breaking], make: prior(nil)))
  }

  @Test func aSoundFeatureEncoderConforms() throws {
    let findings = try findings(.encoder) { try Layered(nil, $1) }
    expectConforming(findings)
    #expect(findings["features"]?.outcome == .passed && findings["layout"]?.outcome == .passed)
  }

  @Test func weightsThatLossesReadAreExcused() throws {
    let findings = try findings(.encoder) { try Excusing(["spread", "spreader"], $1) }
    expectConforming(findings)
    #expect(findings["reached"]?.outcome == .passed)
  }

  @Test func aDecoderThatIsConditionedOnTheClassConforms() throws {
    expectConforming(
      try findings(.decoder) { _, context in
        let layer = try Linear(context.latentSize, context.inputSize, in: context.scope)
        return LinearDecoder(layer: layer, shape: context.inputShape, asksForLabels: true)
      })
  }

  /// It takes rows; that it refuses images is no fault, in words or by libtorch, which is a warning.
  @Test func aPartMayTakeRowsAlone() throws {
    let refusing = try findings(.encoder, settings: [breaking]) { settings, context in
      guard context.inputShape.count == 1 else { throw RecipeError("\(context.title) takes rows") }
      return try encoder(nil)(settings, context)
    }
    expectConforming(refusing)
    let crashing = try finding("fits", .encoder) { _, context in
      struct Rows: Encoder {
        let layer: Linear
        let latentSize = 3
        func encode(_ batch: Batch) throws -> Code { .point(try layer(batch.inputs)) }
      }
      return Rows(layer: try Linear(6, 3, in: context.scope))
    }
    #expect(crashing.outcome == .warning && crashing.reason.contains("a RecipeError would say what to do"))
  }
}
