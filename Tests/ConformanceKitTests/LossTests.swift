import ConformanceKit
import LatentKit
import Testing

/// What is wrong with a loss, and the check that finds it.
private enum LossFlaw: String, Flaw {
  case noTerms = "terms"
  case comesAndGoes = "terms/some"
  case sharedName = "terms/name"
  case vector = "terms/vector"
  case type = "terms/float64"
  case notPerExample = "terms/values"
  case otherWhole = "per-example"
  case keepsCount = "same-seed"
  case strayDraws = "same-seed/stray"
  case changesInputs = "same-seed/inputs"
  case root = "extremes"
  case missingGradient = "gradients"
  case detached = "gradients/detached"
  case idleWeight = "reached"
  case vanishes = "training"
  case smallestSize = "settings"
  case readsHidden = "hidden-labels"
  case dividesByClass = "classes"
  case needsThirdClass = "classes/index"
  case learnsOutside = "online"
}

/// The squared error of reconstructions, and the distance of latents from their class's mean, with one flaw or none.
private final class FlawedLoss: Loss, OnlineUpdate, @unchecked Sendable {
  private let flaw: LossFlaw?
  private let size: Int
  private let factor: Tensor
  private let stray = Stray()
  private var calls = 0.0
  private var learned = 0.0
  var needs: DataNeeds { .labels }

  init(_ flaw: LossFlaw?, _ settings: SettingValues, _ context: BuildContext) throws {
    (self.flaw, size) = (flaw, try settings.int("size"))
    factor = try context.scope.parameter("factor", [1], .constant(1))
  }

  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    calls += 1
    let (inputs, latents) = (forward.inputs, try forward.latents)
    var errors = try (forward.reconstruction - inputs).square().flattened().mean(axis: 1)
    var pull = try latents.square().sum(axis: 1)
    if flaw != .idleWeight { pull = try pull * factor }
    switch flaw {
    case .noTerms: return []
    case .type: errors = try errors.to(.float64)
    case .keepsCount: errors = try errors * calls
    case .strayDraws: errors = try errors + stray.normal(errors.shape, like: errors).abs()
    case .changesInputs: try inputs.multiplyInPlace(0.5)
    case .detached: pull = try pull.detached()
    case .vanishes: errors = try (errors - errors.detached() + 1e-3 * calls).log() / (calls < 6 ? 1 : 0)
    case .smallestSize where size == 0: _ = try latents.reshaped([3])
    case .root: pull = try pull.sqrt()
    case .missingGradient: errors = try errors * 0.5 + errors.detached() * 0.5
    case .readsHidden: pull = try pull * (forward.labels.to(pull.dtype) + 1)
    case .dividesByClass:
      let members = try (forward.labels .== 1).to(pull.dtype)
      pull = try pull * 0 + (pull * members).sum() / members.sum()
    case .needsThirdClass: pull = try pull + latents.rows((forward.labels .== 2).nonzero().squeezed(1)).select(0).sum()
    default: break
    }
    if flaw == .learnsOutside { pull = try pull + learned }
    let mean = flaw == .otherWhole ? try errors.sum() : try errors.mean()
    let name = flaw == .sharedName ? "pull" : "error"
    let error =
      switch flaw {
      case .vector: Term.batch(name, errors)
      case .notPerExample: Term.perExample(name, try errors.slice(0..<1), over: .all)
      default: Term.perExample(name, whole: mean, over: .all) { errors }
      }
    if flaw == .comesAndGoes, try inputs.size(0) < 2 { return [error] }
    return [error, .perExample("pull", pull, over: flaw == .readsHidden ? .all : .labelled)]
  }

  func update(after forward: Forward) throws { learned += 1 }
}

private func loss(_ flaw: LossFlaw?) -> @Sendable (SettingValues, BuildContext) throws -> any Loss {
  { try FlawedLoss(flaw, $0, $1) }
}

extension BrokenPart {
  static let losses: [BrokenPart] =
    LossFlaw.allCases.map { BrokenPart(.loss, $0.check, "\($0)", settings: [breaking], make: loss($0)) } + [
      BrokenPart(.loss, "terms", "nothing fits", words: "the moon") { _, _ in
        struct Picky: Loss {
          func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
            throw RecipeError("it needs the moon")
          }
        }
        return Picky()
      },
      BrokenPart(
        .loss, "terms", "forgets the device", words: "on cpu", device: otherDevice, settings: [breaking],
        make: loss(nil)),
    ]
}

@Suite struct LossChecks {
  /// A mistake of the author's is not hidden by the models that the loss refuses in words.
  @Test func anIndexOutOfRangeIsToldBeforeRefusals() throws {
    struct OffByOne: Loss {
      var needs: DataNeeds { .labels }
      func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
        let centroids = try prior.requireCentroids(for: "off-by-one")
        let nearest = try centroids.rows((forward.labels + 1).to(.int64))
        return [.perExample("distance", try (forward.latents - nearest).square().sum(axis: 1))]
      }
    }
    let found = try finding("terms", .loss) { _, _ in OffByOne() }
    #expect(found.outcome == .failed)
    #expect(
      found.reason.hasPrefix("loss 'part' works with none of the checks' models: for inputs [6], 3 classes"), "\(found)"
    )
    #expect(found.reason.contains("found index 3, expected 0 to 2"), "\(found)")
    #expect(found.reason.contains("others it refuses: off-by-one needs"), "\(found)")
  }

  @Test func aSoundLossConforms() throws {
    expectConforming(try findings(.loss, settings: [breaking], make: loss(nil)))
  }
}
