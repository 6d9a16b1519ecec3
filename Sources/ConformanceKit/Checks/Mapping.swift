import Foundation
import LatentKit

/// What a part of a role computes from a batch, for the checks that roles share.
struct Mapping<Role>: Sendable {
  let key: SlotKey<Role>
  /// What the role calls its work, for reasons: `encode`.
  let verb: String
  /// The worlds to try, by kind: the first that fits of each is used.
  let kinds: [[World]]
  /// Returns the outputs of a part for random inputs, each `[count, …]`.
  let apply: @Sendable (Role, Sample) throws -> [Tensor]
  /// Returns random inputs.
  let sample: @Sendable (Made<Role>, Int, UInt64) throws -> Sample
  /// Returns the shape of one output.
  let shape: @Sendable (Made<Role>) -> [Int]
  /// Returns inputs at the ends of what can be asked, with what they are.
  let extremes: @Sendable (Made<Role>) throws -> [(String, Sample)]
  /// Whether the role has weights that losses train by its output.
  var isTrained = true
  /// Returns whether outputs are numbers that the role may give.
  var areValid: @Sendable ([Tensor]) throws -> Bool = areFinite
  /// Prepares a part that was just made: fits it, say.
  var prepare: @Sendable (Made<Role>) throws -> Void = { _ in }
}

/// Inputs or latents `[count, …]`, with labels.
struct Sample {
  var values: Tensor
  var labels: Tensor?

  func row(_ index: Int) throws -> Sample {
    Sample(values: try values.slice(index..<index + 1), labels: try labels?.slice(index..<index + 1))
  }
}

extension Mapping {
  /// Makes the part and prepares it.
  func make(
    _ subject: Subject<Role>, _ world: World, _ settings: [String: Value] = [:], seed: UInt64? = nil,
    dtype: DType = .float32
  )
    throws -> Made<Role>
  {
    let made = try subject.make(in: world, settings, seed: seed, dtype: dtype)
    try prepare(made)
    return made
  }

  /// Runs `body` with the part made for each kind of data that it takes, and returns the worst verdict.
  func each(_ part: PartUnderTest, dtype: DType = .float32, _ body: (Subject<Role>, Made<Role>) throws -> Verdict)
    throws
    -> Verdict
  {
    let subject = try Subject(key, part)
    var verdict: Verdict?
    for world in try fitting(subject) {
      do {
        let next = try body(subject, make(subject, world, dtype: dtype))
        verdict = verdict.map { $0.worse(next) } ?? next
      } catch let fault as Fault { throw Fault("\(fault.reason) [\(world)]") }
    }
    return verdict ?? .skipped("it takes none of the checks' data")
  }

  /// The worlds that the part takes, one of each kind.
  func fitting(_ subject: Subject<Role>) throws -> [World] {
    try kinds.compactMap { try $0.first { try fits(subject, $0) == nil } }
  }

  /// The refusal of a world; nil where the part takes it.
  private func fits(_ subject: Subject<Role>, _ world: World) throws -> (any Error)? {
    do {
      let made = try make(subject, world)
      _ = try withoutGradients { try apply(made.part, sample(made, 3, 0)) }
      return nil
    } catch let error as RecipeError { return error } catch let error as TensorError { return error } catch let error
      as ConfigError
    { return error }
  }

  /// The checks that roles share.
  var checks: [Check] {
    [fit, outputs, placement, seeded, evaluation, rows, extreme, ends, saved, training] + (isTrained ? [reached] : [])
      + [differences]
  }

  private func check(_ name: String, _ fact: String, _ body: @escaping @Sendable (PartUnderTest) throws -> Verdict)
    -> Check
  {
    Check(key.slot, name, fact, body)
  }

  private func outputs(of made: Made<Role>, _ sample: Sample) throws -> [Tensor] {
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
        return areEven ? .passed : .warning("another seed gives the same weights")
      }
    }
  }

  private var evaluation: Check {
    check(
      "evaluation",
      "In evaluation a call changes no state and draws nothing: the same input gives the same output afterwards."
    ) {
      part in
      try each(part) { _, made in
        let (one, other) = (try sample(made, 5, part.seed), try sample(made, 3, part.seed + 1))
        let (before, stream) = (try snapshot(made.parameters), try made.scope.mode.generator.state)
        let first = try outputs(of: made, one)
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
      guard let world = try fitting(subject).first else { return .skipped("it takes none of the checks' data") }
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

  private var saved: Check {
    check("saved", "Saved and loaded, a part gives the same outputs, also after use in training.") { part in
      try each(part) { subject, made in
        guard !made.parameters.isEmpty else { return .skipped("it has no parameters") }
        for round in 0..<3 {
          let input = try sample(made, 4, part.seed + 10 + UInt64(round))
          _ = try made.training { try withoutGradients { try apply(made.part, input) } }
        }
        var noise = try Generator(seed: part.seed, for: "changes of weights by checks")
        for weight in made.weights {
          try weight.tensor.addInPlace(noise.normal(weight.tensor.shape).to(part.device), times: 0.05)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
          "check-\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: made.parameters.map { ($0.name, $0.tensor) }), to: file)
        let tensors = try Safetensors.read(file).tensors
        let other = try make(subject, made.world)
        for parameter in other.parameters {
          guard let values = tensors[parameter.name] else {
            throw Fault("'\(parameter.name)' is not among the saved parameters")
          }
          try parameter.tensor.copyInPlace(values)
        }
        let input = try sample(made, 5, part.seed)
        let (one, two) = (try outputs(of: made, input), try outputs(of: other, input))
        try require(
          try sameBits(one, two),
          "outputs differ after loading: something that they depend on is no parameter and no buffer")
        return .passed
      }
    }
  }

  private var training: Check {
    check("training", "In training, outputs stay finite over some steps on a batch of two or more.") { part in
      try each(part) { _, made in
        guard !made.weights.isEmpty else { return .skipped("it has no weights") }
        let weights = made.weights.map(\.tensor)
        for step in 0..<8 {
          let outputs = try made.training { try apply(made.part, sample(made, 4, part.seed + UInt64(step))) }
          try require(try areFinite(outputs), "outputs are not finite after \(step) steps")
          let total = try projection(of: outputs, seed: part.seed)
          guard total.requiresGradient else { break }
          let gradients = try total.gradients(by: weights)
          try require(try areFinite(gradients.compactMap(\.self)), "a gradient is not finite after \(step) steps")
          let norm = try clipGradients(gradients.compactMap(\.self), to: 1)
          try require(norm.isFinite, "the gradient's norm is not finite after \(step) steps")
          for (weight, gradient) in zip(weights, gradients) {
            if let gradient { try weight.addInPlace(gradient, times: -0.05) }
          }
        }
        return .passed
      }
    }
  }

  private var reached: Check {
    check("reached", "A gradient of the output reaches every weight.") { part in
      try each(part) { _, made in
        let weights = made.weights
        guard !weights.isEmpty else { return .skipped("it has no weights") }
        let total = try made.training {
          try projection(of: apply(made.part, sample(made, 6, part.seed)), seed: part.seed)
        }
        try require(total.requiresGradient, "no gradient is recorded of the output")
        let gradients = try total.gradients(by: weights.map(\.tensor))
        for (weight, gradient) in zip(weights, gradients) where gradient == nil {
          throw Fault("no gradient reaches '\(weight.name)'")
        }
        for (weight, gradient) in zip(weights, gradients) {
          if let gradient, try !(gradient .!= 0).any() {
            return .warning("the gradient of '\(weight.name)' is 0 everywhere")
          }
        }
        return .passed
      }
    }
  }

  private var differences: Check {
    check("gradients", "In Float64, gradients by weights and inputs agree with differences.") { part in
      try each(part, dtype: .float64) { _, made in
        var input = try sample(made, 4, part.seed)
        input.values = try input.values.to(.float64).clone().requiringGradient()
        let outputs = try apply(made.part, input)
        for output in outputs where output.dtype != .float64 {
          throw Fault("a part that was made in Float64 gives \(output.dtype)")
        }
        guard try projection(of: outputs, seed: part.seed).requiresGradient else {
          return made.weights.isEmpty
            ? .warning("no gradient is recorded of the output") : .failed("no gradient is recorded of the output")
        }
        let fault = try gradientFault(by: made.weights.map(\.tensor) + [input.values], seed: part.seed) {
          try projection(of: apply(made.part, input), seed: part.seed)
        }
        if let fault {
          throw Fault(
            "along random directions the gradient is \(short(fault.gradient)), and differences give \(short(fault.difference))"
          )
        }
        return .passed
      }
    }
  }
}
