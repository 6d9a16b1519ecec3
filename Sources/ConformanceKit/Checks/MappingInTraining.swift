import Foundation
import LatentKit

/// What holds of parts that have weights, in training and after it.
extension Mapping {
  var saved: Check {
    check("saved", "Saved and loaded, a part gives the same outputs, also after use in training.") { part in
      try each(part) { subject, made in
        guard !made.parameters.isEmpty else { return .skipped("it has no parameters") }
        for round in 0..<3 {
          let input = try sample(made, 4, part.seed + 10 + UInt64(round))
          _ = try made.training { try withoutGradients { try apply(made.part, input) } }
        }
        try made.changeWeights()
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

  var training: Check {
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
          let norm = try clipGradients(gradients.compactMap(\.self), to: 1).item()
          try require(norm.isFinite, "the gradient's norm is not finite after \(step) steps")
          for (weight, gradient) in zip(weights, gradients) {
            if let gradient { try weight.addInPlace(gradient, times: -0.05) }
          }
        }
        return .passed
      }
    }
  }

  var reached: Check {
    check("reached", "A gradient of the output reaches every weight.") { part in
      try each(part) { _, made in
        let excused = (made.part as? any Encoder)?.weightsOfLosses.map { "\(key.slot.name).\($0)" } ?? []
        let weights = made.weights.filter { weight in
          !excused.contains { weight.name == $0 || weight.name.hasPrefix("\($0).") }
        }
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

  var differences: Check {
    check("gradients", "In Float64, gradients by weights and inputs agree with differences.") { part in
      try each(part, dtype: .float64) { _, made in
        // Off the kinks on which weights that start at 0 may lie.
        try made.changeWeights()
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
        let fault = try gradientFault(
          by: made.weights.map(\.tensor) + [input.values], seed: part.seed,
          precision: (made.part as? any Part)?.precision ?? .float64
        ) {
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
