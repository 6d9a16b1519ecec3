import ConformanceKit
import LatentKit
import Testing

/// What is wrong with a sampler, and the check that finds it.
private enum SamplerFlaw: String, Flaw {
  case oneTooMany = "counts"
  case rehearsal = "counts/rehearsal"
  case keepsGradients = "counts/gradients"
  case strayDraws = "same-seed"
  case ignoresSeed = "same-seed/ignored"
  case changesReference = "same-seed/reference"
  case noReference = "references"
  case fallsBack = "references/absent"
  case readsHidden = "references/hidden"
  case independent = "gaussian"
  case shrunk = "gaussian/shrunk"
  case oneMode = "modes"
  case between = "modes/between"
  case beyond = "bounded"
  case leaks = "bounded/outside"
  case otherOrder = "labels"
  case smallestSize = "settings"
}

/// Training latents, drawn with replacement, of the class that is asked for, with one flaw or none.
private struct FlawedSampler: Sampler {
  let flaw: SamplerFlaw?
  var warns = false
  var size = 1
  let stray = Stray()

  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let reference = flaw == .noReference ? try request.requireLatents() : try request.requireReference(for: "part")
    if flaw == .ignoresSeed { generator = try Generator(seed: 1) }
    if flaw == .strayDraws { generator = try Generator(seed: UInt64.random(in: 0..<1 << 40)) }
    var rows: [Tensor] = []
    let labels = try request.labels?.ints()
    let follows = labels != nil && reference.labels != nil
    for index in 0..<request.count {
      var label = labels?[index] ?? 0
      if flaw == .oneMode { label = 0 }
      if flaw == .otherOrder { label = labels.map { $0[request.count - 1 - index] } ?? 0 }
      var set = follows ? try reference.latents(of: label) : reference.latents
      if flaw == .readsHidden, follows {
        set = try LatentSet(latents: reference.latents, labels: reference.labels).latents(of: label)
      }
      if flaw == .fallsBack, try set.size(0) == 0 { set = reference.latents }
      guard try set.size(0) > 0 else { throw RecipeError("there is no training latent of class \(label)") }
      rows.append(try set.rows(generator.integers(0..<set.size(0), [1])))
    }
    var latents = try Tensor.concatenate(rows)
    switch flaw {
    case .oneTooMany: latents = try .concatenate([latents, latents.slice(0..<1)])
    case .rehearsal where request.isRehearsal: latents = try latents.slice(0..<1)
    case .keepsGradients: try latents.requiringGradient()
    case .changesReference: try reference.latents.multiplyInPlace(1.01)
    case .independent:
      let other = try latents.rows(generator.permutation(request.count))
      latents = try .concatenate([latents.slice(0..<1, axis: 1), other.slice(1..<2, axis: 1)], axis: 1)
    case .shrunk: latents = try (latents - latents.mean(axis: 0)) * 0.7 + latents.mean(axis: 0)
    case .between: latents = try generator.normal(latents.shape) * Tensor([4.03, 0.5] as [Float])
    case .smallestSize where size == 0: latents = try latents / 0
    case .leaks: latents = try latents + generator.normal(latents.shape) * 0.05
    case .beyond: latents = try latents + 0.2
    default: break
    }
    return Draw(latents: latents, followsLabels: follows, warnings: warns ? ["the draws may be wrong"] : [])
  }
}

extension DrawRequest {
  fileprivate func requireLatents() throws -> LatentSet {
    guard let reference else { throw RecipeError("there are none") }
    // What an author forgets: there may be no row.
    _ = try reference.latents.slice(0..<2)
    return reference
  }
}

extension BrokenPart {
  static let samplers: [BrokenPart] =
    SamplerFlaw.allCases.map { flaw in
      BrokenPart(.sampler, flaw.check, "\(flaw)", settings: [breaking]) { settings, _ in
        FlawedSampler(flaw: flaw, size: try settings.int("size"))
      }
    } + [
      BrokenPart(.sampler, "choices", "one of them", words: "badly", settings: [choice]) { settings, _ in
        FlawedSampler(flaw: try settings.string("how") == "badly" ? .shrunk : nil)
      },
      BrokenPart(.sampler, "counts", "forgets the device", words: "on cpu, expected", device: otherDevice) { _, _ in
        FlawedSampler(flaw: nil)
      },
    ]

  private static let choice = SettingDescription("how", default: "well", "How it draws.", choices: ["well", "badly"])
}

@Suite struct SamplerChecks {
  @Test func aSoundSamplerConforms() throws {
    expectConforming(try findings(.sampler) { _, _ in FlawedSampler(flaw: nil) })
  }

  @Test(arguments: [SamplerFlaw.independent, .shrunk, .oneMode, .between, .beyond, .leaks])
  fileprivate func wrongDrawsWithAWarningAreNoFault(_ flaw: SamplerFlaw) throws {
    let finding = try finding(flaw.check, .sampler) { _, _ in FlawedSampler(flaw: flaw, warns: true) }
    #expect(finding.outcome == .warning)
  }

  /// The same draws from a sampler that claims no more than an estimate of the training latents.
  @Test func onlyAnEstimateMayLeaveTheBoundsOfADensity() throws {
    struct Estimating: EstimatingSampler {
      let flaw: SamplerFlaw
      func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
        try FlawedSampler(flaw: flaw).draw(request, using: &generator)
      }
    }
    let inside = try finding("bounded", .sampler) { _, _ in Estimating(flaw: .leaks) }
    let shifted = try finding("bounded", .sampler) { _, _ in Estimating(flaw: .beyond) }
    #expect(inside.outcome == .passed && shifted.outcome == .failed)
    let leaking = try finding("bounded", .sampler) { _, _ in FlawedSampler(flaw: .leaks) }
    #expect(leaking.outcome == .failed && leaking.reason.contains("lie outside the bounds of the density"))
  }
}
