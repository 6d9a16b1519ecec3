import ConformanceKit
import LatentKit
import Testing

/// What is wrong with a loss, and the check that finds it.
private enum LossFlaw: String, Flaw {
  case noTerms = "terms"
  case sharedName = "terms/name"
  case vector = "terms/vector"
  case type = "terms/float64"
  case notPerExample = "terms/values"
  case otherWhole = "per-example"
  case keepsCount = "same-seed"
  case strayDraws = "same-seed/stray"
  case root = "extremes"
  case missingGradient = "gradients"
  case readsHidden = "hidden-labels"
  case dividesByClass = "classes"
  case needsThirdClass = "classes/index"
  case learnsOutside = "online"
}

/// The squared error of reconstructions, and the distance of latents from their class's mean, with one flaw or none.
private final class FlawedLoss: Loss, OnlineUpdate, @unchecked Sendable {
  private let flaw: LossFlaw?
  private let stray = Stray()
  private var calls = 0.0
  private var learned = 0.0
  var needs: DataNeeds { .labels }

  init(_ flaw: LossFlaw?) { self.flaw = flaw }

  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    calls += 1
    let (inputs, latents) = (forward.inputs, try forward.latents)
    var errors = try (forward.reconstruction - inputs).square().flattened().mean(axis: 1)
    var pull = try latents.square().sum(axis: 1)
    switch flaw {
    case .noTerms: return []
    case .type: errors = try errors.to(.float64)
    case .keepsCount: errors = try errors * calls
    case .strayDraws: errors = try errors + stray.normal(errors.shape, like: errors).abs()
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
    return [error, .perExample("pull", pull, over: flaw == .readsHidden ? .all : .labelled)]
  }

  func update(after forward: Forward) throws { learned += 1 }
}

@Suite struct LossChecks {
  @Test func aSoundLossConforms() throws { expectConforming(try findings(.loss) { _, _ in FlawedLoss(nil) }) }

  @Test(arguments: LossFlaw.allCases) fileprivate func flawsAreFound(_ flaw: LossFlaw) throws {
    expectFault(try finding(flaw.check, .loss) { _, _ in FlawedLoss(flaw) }, in: flaw.check)
  }

  @Test func aLossThatNothingFitsIsFound() throws {
    struct Picky: Loss {
      func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] { throw RecipeError("it needs the moon") }
    }
    expectFault(try finding("terms", .loss) { _, _ in Picky() }, in: "terms", "the moon")
  }
}
