import LatentKit

/// Checks of priors that are fitted, or that learn in steps.
extension Mapping where Role == any Prior {
  static var beforeFit: Check {
    Check(.prior, "before-fit", "A prior that is fitted refuses or answers before it is fitted; it does not trap.") {
      part in
      let subject = try Subject(SlotKey.prior, part)
      let made = try subject.make(in: .smallRows)
      guard made.part is any FittablePrior else { return .skipped("it is no FittablePrior") }
      let latents = try World.smallRows.latents(3, seed: 1, device: part.device).latents
      do {
        _ = try made.part.logDensity(latents, labels: nil)
        return .warning("it has a density before it is fitted")
      } catch is RecipeError { return .passed }
    }
  }

  static var fits: Check {
    Check(
      .prior, "fit",
      "A fit is the same for the same latents, and is finite or refused for partly labelled, one, and equal latents."
    ) { part in
      let subject = try Subject(SlotKey.prior, part)
      func made() throws -> (any FittablePrior)? { try subject.make(in: .smallRows).part as? any FittablePrior }
      guard let one = try made(), let other = try made() else { return .skipped("it is no FittablePrior") }
      let world = World.smallRows
      let (set, latents) = (
        try clusters(world, 60, device: part.device), try world.latents(4, seed: 2, device: part.device)
      )
      try one.fit(set, seed: 4)
      // What was fitted before must not matter.
      try other.fit(clusters(world, 30, seed: 9, device: part.device), seed: 5)
      try other.fit(set, seed: 4)
      try require(
        try sameBits([one.logDensity(latents.latents, labels: nil)], [other.logDensity(latents.latents, labels: nil)]),
        "the same latents and seed give another density after an earlier fit")
      let mask = try Tensor((0..<60).map { Int64($0 % 2) }).to(part.device) .== 1
      let cases: [(String, LatentSet)] = [
        ("partly labelled", LatentSet(latents: set.latents, labels: set.labels, labelled: mask)),
        ("unlabelled", LatentSet(latents: set.latents, labels: nil)),
        ("one latent", LatentSet(latents: try set.latents.slice(0..<1), labels: try set.labels?.slice(0..<1))),
        ("equal latents", LatentSet(latents: try set.latents.filled(with: 1), labels: set.labels)),
      ]
      for (name, set) in cases {
        guard let prior = try made() else { continue }
        do {
          try prior.fit(set, seed: 4)
          let density = try prior.logDensity(latents.latents, labels: nil)
          try require(try !density.isNaN().any(), "fitted to \(name), the density is not a number")
        } catch is RecipeError {} catch let error as TensorError {
          throw Fault("fitted to \(name), libtorch refuses it: \(error)")
        }
      }
      return .passed
    }
  }

  static var online: Check {
    Check(
      .prior, "online",
      "What a prior learns in steps is in its buffers, finite, and the same whatever stands at hidden labels."
    ) { part in
      let subject = try Subject(SlotKey.prior, part)
      var verdict: Verdict?
      for settings in [[:]] + subject.choices {
        let next: Verdict
        do { next = try online(subject, settings) } catch is RecipeError { continue } catch let fault as Fault {
          throw settings.isEmpty ? fault : Fault("with \(Value.object(settings).text): \(fault.reason)")
        }
        if case .skipped = next { return next }
        // A change under some settings is enough.
        verdict = verdict == .passed ? .passed : next
      }
      return verdict ?? .skipped("it does not learn in steps")
    }
  }

  private static func online(_ subject: Subject<any Prior>, _ settings: [String: Value]) throws -> Verdict {
    let part = subject.under
    func learned(hidden: Int64) throws -> (Made<any Prior>, changed: Bool)? {
      let made = try prior.make(subject, .rows, settings)
      guard let learner = made.part as? any OnlineUpdate else { return nil }
      var model = try StandIn(.rows, .pointsAndCentroids, seed: part.seed, device: part.device).model
      model.prior = made.part
      let before = try snapshot(made.parameters)
      for step in 0..<3 {
        var batch = try World.rows.batch(6, seed: part.seed + UInt64(step), device: part.device)
        if step > 0 {
          batch.labels = try Tensor([0, 0, 1, hidden, hidden, 1] as [Int64]).to(part.device)
          batch.labelled = try Tensor([1, 1, 1, 0, 0, 1] as [Int64]).to(part.device) .== 1
        }
        let random = RandomSource(try Generator(seed: part.seed, device: part.device))
        try withoutGradients {
          try learner.update(after: Forward(batch, through: model, training: true, drawing: random))
        }
      }
      return (made, try !sameBits(before, snapshot(made.parameters)))
    }
    guard let (one, changed) = try learned(hidden: 0), let (other, _) = try learned(hidden: 2) else {
      return .skipped("it does not learn in steps")
    }
    let latents = try World.rows.latents(4, seed: 2, device: part.device)
    func density(_ made: Made<any Prior>) throws -> [Tensor] {
      try withoutGradients { [try made.part.logDensity(latents.latents, labels: latents.labels)] }
    }
    try require(try areFinite(density(one)), "after three updates the density is not finite")
    try require(try sameBits(density(one), density(other)), "what stands at hidden labels changes what it learns")
    let fresh = try prior.make(subject, .rows, settings)
    for (to, from) in zip(fresh.parameters, one.parameters) { try to.tensor.copyInPlace(from.tensor) }
    try require(
      try sameBits(density(one), density(fresh)),
      "what it has learned is not in its parameters and buffers: a checkpoint loses it")
    return changed ? .passed : .warning("three updates change nothing")
  }
}
