import LatentKit

enum LossChecks {
  static let all = [
    terms, values, repeated, extreme, gradients, reached, training, hidden, classes, learning, settings,
  ]

  private static func check(_ name: String, _ fact: String, _ body: @escaping @Sendable (LossBench) throws -> Verdict)
    -> Check
  {
    Check(.loss, name, fact) { try body(LossBench($0)) }
  }

  private static var terms: Check {
    check(
      "terms",
      "There are named terms, each a finite number or one for each example, for a batch of one and an odd batch."
    ) { bench in
      let names = try bench.terms(bench.forward(4)).map(\.name)
      for count in [1, 5] {
        let terms: [Term]
        do { terms = try bench.terms(bench.forward(count)) } catch let refusal as RecipeError where count == 1 {
          return .warning("it refuses a batch of one: \(refusal)")
        }
        try require(!terms.isEmpty, "it has no terms")
        try require(Set(terms.map(\.name)).count == terms.count, "two terms share a name: \(terms.map(\.name))")
        try require(
          terms.map(\.name) == names,
          "a batch of \(count) gives the terms \(terms.map(\.name)), and one of 4 the terms \(names)")
        for term in terms {
          try require(!term.name.isEmpty, "a term has no name")
          let value = try term.value
          try require(value.rank == 0, "term '\(term.name)' has the shape \(value.shape), expected one number")
          try require(
            value.dtype == .float32 && value.device == bench.device,
            "term '\(term.name)' is \(value.dtype) on \(value.device)")
          try require(try areFinite([value]), "term '\(term.name)' is \(try value.item()) for a batch of \(count)")
          if term.isPerExample {
            let values = try term.values()
            try require(
              values.shape == [count], "term '\(term.name)' has values of shape \(values.shape), expected [\(count)]")
          }
        }
      }
      guard try bench.total(bench.forward(5)).requiresGradient else {
        return .warning("no gradient is recorded of any term")
      }
      return .passed
    }
  }

  private static var values: Check {
    check(
      "per-example",
      "What is faster for a whole batch is what the values of the examples reduce to, in any order of examples."
    ) { bench in
      var isAny = false
      let order = [4, 2, 0, 3, 1]
      let batch = try bench.batch(5)
      let moved = Batch(inputs: try batch.inputs.rows(order), labels: try batch.labels?.rows(order))
      let (terms, others) = (
        try bench.terms(bench.forward(batch, training: false)), try bench.terms(bench.forward(moved, training: false))
      )
      for (index, (term, other)) in zip(terms, others).enumerated() where term.isPerExample {
        isAny = true
        let values = try term.values()
        let reduced = term.reduction == .mean ? try values.mean() : try values.sum()
        try require(
          try agree(term.value, reduced, within: 1e-4),
          "term '\(term.name)' is \(short(try term.value.item())), and its examples give \(short(try reduced.item()))")
        // Draws are made row by row, whatever stands there.
        let redrawn = try bench.terms(bench.forward(batch, training: false, seed: 2))[index].values()
        guard try agree(redrawn, values, within: 0) else { continue }
        guard try agree(values.rows(order), other.values(), within: 1e-4) else {
          return .warning("the values of term '\(term.name)' change with the order of the examples")
        }
      }
      return isAny ? .passed : .skipped("no term is given per example")
    }
  }

  private static var repeated: Check {
    check(
      "same-seed",
      "The same batch and stream give the same terms, in a loss made anew too; a call changes nothing, the batch included."
    ) { bench in
      func values(_ bench: LossBench, training: Bool = true) throws -> [Tensor] {
        try bench.terms(bench.forward(5, training: training)).map { try $0.value.detached() }
      }
      let batch = try bench.batch(5)
      let given = try [batch.inputs.clone()] + (batch.labels.map { [try $0.clone()] } ?? [])
      _ = try bench.terms(bench.forward(batch))
      try require(
        try sameBits(given, [batch.inputs] + (batch.labels.map { [$0] } ?? [])),
        "a call changes the batch's inputs or labels")
      let one = try values(bench)
      _ = try bench.terms(bench.forward(bench.batch(3, seed: 99)))
      try require(try sameBits(one, values(bench)), "terms change after a call with another batch")
      try require(try sameBits(one, values(bench.again())), "two losses of one seed give different terms")
      let before = try snapshot(bench.made.parameters)
      try withoutGradients {
        let first = try values(bench, training: false)
        try require(
          try sameBits(first, values(bench, training: false)), "in evaluation, terms change from call to call")
      }
      try require(
        try sameBits(before, snapshot(bench.made.parameters)), "a call changes the loss's own parameters or buffers")
      return .passed
    }
  }

  private static var extreme: Check {
    check("extremes", "Terms and gradients are finite at the ends of inputs, and where all weights are 0.") { bench in
      let weights = try bench.weights()
      for value in bench.world.inputRange.map({ [$0.lowerBound, $0.upperBound] }) ?? [0, 1, 100] {
        let batch = try bench.batch(4)
        let total = try bench.total(bench.forward(batch.with(inputs: batch.inputs.filled(with: value))))
        try require(
          try areFinite([total]), "for inputs that are all \(short(value)) the loss is \(short(try total.item()))")
        if total.requiresGradient {
          try require(
            try areFinite(total.gradients(by: weights).compactMap(\.self)),
            "for inputs that are all \(short(value)) a gradient is not finite")
        }
      }
      for weight in weights { try weight.fillInPlace(0) }
      let total = try bench.total(bench.forward(4))
      try require(try areFinite([total]), "where all weights are 0 the loss is \(short(try total.item()))")
      guard total.requiresGradient else { return .passed }
      try require(
        try areFinite(total.gradients(by: weights).compactMap(\.self)),
        "where all weights are 0 a gradient is not finite")
      return .passed
    }
  }

  private static var gradients: Check {
    Check(
      .loss, "gradients",
      "In Float64, the gradient by what the loss trains agrees with differences of its precision; a term that follows weights has one."
    ) { part in
      let bench = try LossBench(part, dtype: .float64)
      let terms = try bench.terms(bench.forward(4))
      // Term by term: what one holds still, another may train.
      var verdict = Verdict.skipped("no gradient is recorded of any term")
      for (index, term) in terms.enumerated() {
        let value = try term.value
        try require(value.dtype == .float64, "for a model in Float64 term '\(term.name)' is \(value.dtype)")
        guard value.requiresGradient else {
          let follows = try isMoved(by: bench.weights(), seed: part.seed) {
            try bench.terms(bench.forward(4))[index].value
          }
          try require(
            !follows, "term '\(term.name)' changes with weights, and no gradient is recorded of it: it trains nothing")
          continue
        }
        let fault = try gradientFault(by: bench.weights(), seed: part.seed, precision: bench.loss.precision) {
          try bench.terms(bench.forward(4))[index].value
        }
        if let fault {
          throw Fault(
            "along random directions the gradient of term '\(term.name)' is \(short(fault.gradient)), and differences give "
              + "\(short(fault.difference)); what is held still for a part belongs into another term than what trains it"
          )
        }
        verdict = .passed
      }
      return verdict
    }
  }

  private static var reached: Check {
    check("reached", "A gradient of the terms reaches every weight of the loss's own.") { bench in
      let weights = bench.made.weights
      guard !weights.isEmpty else { return .skipped("it has no weights") }
      let total = try bench.total(bench.forward(6))
      try require(total.requiresGradient, "no gradient is recorded of any term")
      for (weight, gradient) in zip(weights, try total.gradients(by: weights.map(\.tensor))) where gradient == nil {
        throw Fault("no gradient reaches '\(weight.name)'")
      }
      return .passed
    }
  }

  private static var training: Check {
    check("training", "Terms and gradients stay finite over some steps of what they train.") { bench in
      let weights = try bench.weights()
      for step in 0..<12 {
        let total = try bench.total(bench.forward(bench.batch(6, seed: UInt64(step))))
        try require(try areFinite([total]), "after \(step) steps the loss is \(short(try total.item()))")
        guard total.requiresGradient else { return .skipped("no gradient is recorded of any term") }
        let gradients = try total.gradients(by: weights)
        let norm = try clipGradients(gradients.compactMap(\.self), to: 1).item()
        try require(norm.isFinite, "after \(step) steps a gradient is not finite")
        for (weight, gradient) in zip(weights, gradients) {
          if let gradient { try weight.addInPlace(gradient, times: -0.1) }
        }
      }
      return .passed
    }
  }

  private static var hidden: Check {
    check(
      "hidden-labels",
      "What stands at hidden labels changes no term and no gradient; where no label is left, terms are finite."
    ) { bench in
      let weights = try bench.weights()
      func outcome(_ stand: Int64, _ known: [Int64]) throws -> [Tensor] {
        var batch = try bench.batch(6)
        batch.labels = try Tensor(known.enumerated().map { $1 == 1 ? Int64($0 % 3) : stand }).to(bench.device)
        batch.labelled = try Tensor(known).to(bench.device) .== 1
        let total = try bench.total(bench.forward(batch))
        return try [total.detached()] + (total.requiresGradient ? total.gradients(by: weights).compactMap(\.self) : [])
      }
      if bench.needs.contains(.everyLabel) { return .skipped("it needs every label") }
      do {
        let mask: [Int64] = [1, 1, 0, 1, 0, 1]
        let one = try outcome(0, mask)
        try require(try areFinite(one), "with hidden labels the loss or a gradient is not finite")
        try require(
          try zip(one, outcome(2, mask)).allSatisfy { try agree($0, $1, within: 1e-6) },
          "what stands at hidden labels changes the loss or a gradient")
        try require(
          try areFinite(outcome(0, Array(repeating: 0, count: 6))),
          "where all labels are hidden the loss or a gradient is not finite")
      } catch let refusal as RecipeError { return .skipped("it refuses hidden labels: \(refusal)") }
      return .passed
    }
  }

  private static var classes: Check {
    check(
      "classes",
      "Batches of one class, and without some, give finite terms and gradients; data without labels are used or refused."
    ) { bench in
      let weights = try bench.weights()
      for labels in [[0, 0, 0, 0], [2, 2, 2, 2], [0, 2, 0, 2]] as [[Int64]] {
        var batch = try bench.batch(4)
        batch.labels = try Tensor(labels).to(bench.device)
        let total = try bench.total(bench.forward(batch))
        try require(
          try areFinite([total]), "for a batch of the classes \(labels) the loss is \(short(try total.item()))")
        if total.requiresGradient {
          try require(
            try areFinite(total.gradients(by: weights).compactMap(\.self)),
            "for a batch of the classes \(labels) a gradient is not finite")
        }
      }
      do {
        let other = try LossBench(
          bench.subject, bench.world.with(classCount: nil), .gaussiansAndNormal, bench.withCompanions, bench.dtype,
          bench.settings)
        try require(try areFinite([other.total(other.forward(4))]), "for data without labels the loss is not finite")
      } catch is RecipeError {} catch let error as TensorError {
        throw Fault("for data without labels libtorch refuses it: \(error)")
      }
      return .passed
    }
  }

  private static var learning: Check {
    check("online", "What a loss learns in steps is in its buffers, and stays finite.") { bench in
      guard let learner = bench.loss as? any OnlineUpdate else { return .skipped("it does not learn in steps") }
      let other = try bench.again()
      for step in 0..<3 {
        try withoutGradients { try learner.update(after: bench.forward(bench.batch(6, seed: UInt64(step)))) }
      }
      func values(_ bench: LossBench) throws -> [Tensor] {
        try bench.terms(bench.forward(5)).map { try $0.value.detached() }
      }
      try require(try areFinite(values(bench)), "after three updates a term is not finite")
      for (to, from) in zip(other.made.parameters, bench.made.parameters) { try to.tensor.copyInPlace(from.tensor) }
      try require(
        try sameBits(values(bench), values(other)),
        "what it has learned is not in its parameters and buffers: a checkpoint loses it")
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
          let other = try bench.again([setting: value])
          try require(try areFinite([other.total(other.forward(4))]), "the loss is not finite")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}
