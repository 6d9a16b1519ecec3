import LatentKit

/// What holds of parts of every role that maps a batch.
extension Mapping {
  /// The checks that roles share.
  var checks: [Check] {
    [fit, outputs, placement, seeded, evaluation, rows] + (takesImages ? [layout] : [])
      + [extreme, ends, saved, training, reached, differences]
  }

  func check(_ name: String, _ fact: String, _ body: @escaping @Sendable (PartUnderTest) throws -> Verdict)
    -> Check
  {
    Check(key.slot, name, fact, body)
  }

  func outputs(of made: Made<Role>, _ sample: Sample) throws -> [Tensor] {
    try withoutGradients { try apply(made.part, sample) }
  }

  private var fit: Check {
    check("fits", "The part takes rows or images, and refuses the others by a RecipeError.") { part in
      let subject = try Subject(key, part)
      let taken = try fitting(subject)
      var verdict = Verdict.passed
      for kind in kinds {
        for world in kind {
          guard let error = try fits(subject, world) else { break }
          if taken.isEmpty { throw Fault("it takes none of the data that checks have; \(world): \(error)") }
          if error is TensorError {
            verdict = verdict.worse(
              .warning("\(world): libtorch refuses it, \(error); a RecipeError would say what to do"))
          }
        }
      }
      return verdict
    }
  }

  private var outputs: Check {
    check(
      "shapes",
      "Outputs have the role's shape for a batch of one and an odd batch, are finite, and of the model's type and device."
    ) {
      part in
      try each(part) { _, made in
        for count in [1, 5] {
          let outputs = try outputs(of: made, sample(made, count, part.seed))
          let expected = [count] + shape(made)
          try require(
            outputs.first?.shape == expected,
            "a batch of \(count) gives \(outputs.first.map { "\($0.shape)" } ?? "nothing"), expected \(expected)")
          for output in outputs {
            try require(output.shape.first == count, "a batch of \(count) gives an output of shape \(output.shape)")
            try require(
              output.dtype == .float32 && output.device == part.device,
              "an output is \(output.dtype) on \(output.device), expected float32 on \(part.device)")
          }
          try require(try areFinite(outputs), "outputs for a batch of \(count) are not finite")
        }
        return .passed
      }
    }
  }

  private var placement: Check {
    check("parameters", "Parameters lie in the part's scope, on its device, in its type, and are finite.") { part in
      try each(part) { _, made in
        for parameter in made.parameters {
          try require(
            parameter.name.hasPrefix("\(key.slot.name)."),
            "parameter '\(parameter.name)' is outside the scope '\(key.slot.name)'")
          try require(try areFinite([parameter.tensor]), "parameter '\(parameter.name)' is not finite at the start")
          try require(
            parameter.tensor.device == part.device
              && (parameter.tensor.dtype == .float32 || !parameter.tensor.dtype.isFloatingPoint),
            "parameter '\(parameter.name)' is \(parameter.tensor.dtype) on \(parameter.tensor.device)")
        }
        return .passed
      }
    }
  }

  private var seeded: Check {
    check(
      "same-seed",
      "The same seed gives the same weights and outputs, in training too; another seed gives other weights."
    ) { part in
      try each(part) { subject, made in
        let (again, other) = (try make(subject, made.world), try make(subject, made.world, seed: part.seed + 1))
        let (one, two) = (made.parameters.map(\.tensor), again.parameters.map(\.tensor))
        try require(try sameBits(one, two), "two parts of one seed start with different weights")
        for round in 0..<2 {
          let input = try sample(made, 4, part.seed + UInt64(round))
          let outputs = try [made, again].map { made in
            try made.training { try withoutGradients { try apply(made.part, input) } }
          }
          try require(try sameBits(outputs[0], outputs[1]), "two parts of one seed give different outputs in training")
        }
        let input = try sample(made, 4, part.seed)
        try require(
          try sameBits(outputs(of: made, input), outputs(of: again, input)),
          "two parts of one seed give different outputs")
        guard !made.weights.isEmpty, try sameBits(other.weights.map(\.tensor), again.weights.map(\.tensor)) else {
          return .passed
        }
        // Weights that start at one number do not depend on a seed.
        let areEven = try made.weights.allSatisfy { try $0.tensor.min().item() == $0.tensor.max().item() }
        try require(areEven, "another seed gives the same weights: draw them from the scope")
        return .passed
      }
    }
  }

  private var evaluation: Check {
    check(
      "evaluation",
      "In evaluation a call changes no state and not its input, and draws nothing: the same input gives the same output."
    ) {
      part in
      try each(part) { _, made in
        let (one, other) = (try sample(made, 5, part.seed), try sample(made, 3, part.seed + 1))
        let (before, stream) = (try snapshot(made.parameters), try made.scope.mode.generator.state)
        let given = try one.values.clone()
        let first = try outputs(of: made, one)
        try require(try sameBits([given], [one.values]), "a call changes the input that it is given")
        _ = try outputs(of: made, other)
        let second = try outputs(of: made, one)
        try require(
          try sameBits(before, snapshot(made.parameters)), "a call in evaluation changes parameters or buffers")
        try require(try sameBits(first, second), "the same input gives another output after a call with other inputs")
        try require(
          try sameBits([stream], [made.scope.mode.generator.state]),
          "a call in evaluation draws from the stream of training")
        return .passed
      }
    }
  }

  private var rows: Check {
    check("rows", "In evaluation the output of an example does not depend on the others in its batch.") { part in
      try each(part) { _, made in
        let batch = try sample(made, 5, part.seed)
        let together = try outputs(of: made, batch)
        for index in 0..<5 {
          for (alone, all) in try zip(outputs(of: made, batch.row(index)), together) {
            try require(
              try agree(alone, all.slice(index..<index + 1), within: 1e-3),
              "example \(index + 1) of 5 has another output alone than in the batch")
          }
        }
        return .passed
      }
    }
  }

  private var layout: Check {
    check("layout", "Images give the same output whether their channels lie first or last in memory.") { part in
      try each(part) { _, made in
        var batch = try sample(made, 3, part.seed)
        guard batch.values.rank == 4 else { return .skipped("it takes no images") }
        let one = try outputs(of: made, batch)
        batch.values = try batch.values.contiguous()
        for (first, last) in try zip(outputs(of: made, batch), one) {
          try require(
            try agree(first, last, within: 1e-3), "images with their channels first in memory give another output")
        }
        return .passed
      }
    }
  }

  private var extreme: Check {
    check("extremes", "Outputs are finite at the ends of the inputs.") { part in
      try each(part) { _, made in
        for (name, sample) in try extremes(made) {
          try require(try areValid(outputs(of: made, sample)), "outputs for \(name) are not finite")
        }
        return .passed
      }
    }
  }

  private var ends: Check {
    check(
      "settings", "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let subject = try Subject(key, part)
      guard let world = try fitting(subject).first else {
        return .skipped("it takes none of the checks' data; 'fits' says why")
      }
      var count = 0
      for setting in entrySettings(subject) {
        for value in SettingEnds.values(of: setting) {
          do {
            let made = try make(subject, world, [setting.name: value])
            let outputs = try outputs(of: made, sample(made, 3, part.seed))
            count += 1
            try require(
              outputs.first?.shape == [3] + shape(made),
              "with \(setting.name): \(value.text) outputs have the shape \(outputs.first?.shape ?? [])")
            try require(try areValid(outputs), "with \(setting.name): \(value.text) outputs are not finite")
          } catch is RecipeError {} catch is ConfigError {} catch let error as TensorError {
            throw Fault("with \(setting.name): \(value.text) libtorch refuses it: \(error)")
          }
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }

  private func entrySettings(_ subject: Subject<Role>) -> [SettingDescription] { subject.entry.settings }
}
