import LatentKit

enum NoiseChecks {
  static let all = [outputs, gradients, settings]

  private static var outputs: Check {
    Check(
      .noise, "noise",
      "Perturbed latents have the shape and type of latents, are finite, and follow the lent generator and nothing else."
    ) { part in
      let subject = try Subject(SlotKey.noise, part)
      for dtype in [DType.float32, .float64] {
        let made = try subject.make(in: .rows, dtype: dtype)
        for count in [1, 5] {
          let batch = try World.rows.latents(count, seed: part.seed, dtype: dtype, device: part.device)
          func perturbed(_ seed: UInt64, _ made: Made<any LatentNoise>) throws -> Tensor {
            var generator = try Generator(seed: seed, device: part.device)
            let request = made.part.needs.contains(.labels) ? batch : LatentBatch(batch.latents)
            return try made.part.perturb(request, using: &generator)
          }
          let given = try batch.latents.clone()
          let one = try perturbed(1, made)
          try require(try sameBits([given], [batch.latents]), "a call changes the latents that it is given")
          try require(one.shape == batch.latents.shape, "latents \(batch.latents.shape) become \(one.shape)")
          try require(
            one.dtype == dtype && one.device == part.device, "latents of \(dtype) become \(one.dtype) on \(one.device)")
          try require(try areFinite([one]), "perturbed latents are not finite")
          try require(
            try sameBits([one], [perturbed(1, made)]), "the same generator gives another result the second time")
          try require(
            try sameBits([one], [perturbed(1, subject.make(in: .rows, dtype: dtype))]),
            "two parts of one seed give different results")
          try require(
            try !sameBits([one], [perturbed(2, made)]) || sameBits([one], [batch.latents]),
            "another seed of the generator gives the same result")
        }
      }
      return .passed
    }
  }

  private static var gradients: Check {
    Check(
      .noise, "gradients", "A gradient goes through to the latents, and agrees with differences in Float64."
    ) { part in
      let made = try Subject(SlotKey.noise, part).make(in: .rows, dtype: .float64)
      let batch = try World.rows.latents(5, seed: part.seed, dtype: .float64, device: part.device)
      let leaf = try batch.latents.clone().requiringGradient()
      func value() throws -> Tensor {
        var generator = try Generator(seed: 1, device: part.device)
        let request = made.part.needs.contains(.labels) ? LatentBatch(leaf, labels: batch.labels) : LatentBatch(leaf)
        return try projection(of: [made.part.perturb(request, using: &generator)], seed: part.seed)
      }
      try require(try value().requiresGradient, "no gradient goes through the noise, so that no encoder can learn")
      if let fault = try gradientFault(by: [leaf] + made.weights.map(\.tensor), seed: part.seed, value) {
        throw Fault(
          "along random directions the gradient is \(short(fault.gradient)), and differences give \(short(fault.difference))"
        )
      }
      return .passed
    }
  }

  private static var settings: Check {
    Check(
      .noise, "settings",
      "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let subject = try Subject(SlotKey.noise, part)
      var count = 0
      for (setting, value) in subject.trials {
        try subject.trying(setting, value) {
          let made = try subject.make(in: .rows, [setting: value])
          var generator = try Generator(seed: 1, device: part.device)
          let batch = try World.rows.latents(3, seed: 1, device: part.device)
          let result = try made.part.perturb(
            made.part.needs.contains(.labels) ? batch : LatentBatch(batch.latents), using: &generator)
          try require(try areFinite([result]), "perturbed latents are not finite")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}

extension Subject {
  /// Each setting with each value that it is to be tried at.
  var trials: [(String, Value)] {
    entry.settings.flatMap { setting in SettingEnds.values(of: setting).map { (setting.name, $0) } }
  }

  /// Settings that each make one choice of those that a setting has.
  var choices: [[String: Value]] {
    entry.settings.filter { $0.choices != nil || $0.type == .bool }.flatMap { setting in
      SettingEnds.values(of: setting).map { [setting.name: $0] }
    }
  }

  /// Runs `body` for a setting; a refusal by a sentence is fine.
  func trying(_ setting: String, _ value: Value, _ body: () throws -> Void) throws {
    do { try body() } catch is RecipeError {} catch is ConfigError {} catch let fault as Fault {
      throw Fault("with \(setting): \(value.text): \(fault.reason)")
    } catch let error as TensorError { throw Fault("with \(setting): \(value.text) libtorch refuses it: \(error)") }
  }
}
