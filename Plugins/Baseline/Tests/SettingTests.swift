import Baseline
import LatentKit
import TestSupport
import Testing

@Test func anUnknownSettingOrValueIsRefusedWithTheNearest() throws {
  let encoders = try Catalog([BaselinePlugin.self])[.encoder]
  let mlp = try encoders["mlp"]
  #expect { try mlp.resolved(["laten": 3], at: "encoder.with") } throws: { "\($0)".contains("Did you mean 'latent'?") }
  #expect { try mlp.resolved(["latent": "x"], at: "encoder.with") } throws: {
    "\($0)".contains("encoder.with.latent: found 'x', expected a whole number")
  }
  #expect { try mlp.resolved(["activation": "rleu"], at: "encoder.with") } throws: {
    "\($0)".contains("Did you mean 'relu'?")
  }
  #expect { try encoders["mpl"] } throws: { "\($0)".contains("Did you mean 'mlp'?") }
}

/// A part, a setting, what it is refused for and the range that is named.
private let nonsense: [(slot: Slot, part: String, setting: String, values: [Value], range: String)] = [
  (.encoder, "mlp", "latent", [0, -3, 1_000_001], "1 to 1000000"),
  (.encoder, "mlp", "hidden", [[10, 0]], "0 to 64 numbers, each 1 to 1000000"),
  (
    .encoder, "conv", "widths", [[], [0], .array(Array(repeating: 2, count: 17))], "1 to 16 numbers, each 1 to 1000000"
  ),
  (.encoder, "resnet", "widths", [[]], "1 to 16 numbers, each 1 to 1000000"),
  (.decoder, "deconv", "widths", [[], [-1]], "1 to 16 numbers, each 1 to 1000000"),
  (.classifier, "mlp", "dropout", [-0.1, 1], "0 up to, not including, 1"),
  (.loss, "huber", "delta", [0, -1, 1e13], "above 0, up to 1000000000000"),
  (.optimizer, "sgd", "learningRate", [0, -0.1, 2e6], "above 0, up to 1000000"),
  (.optimizer, "sgd", "momentum", [-0.1, 1], "0 up to, not including, 1"),
  (.optimizer, "sgd", "weightDecay", [-1e-4], "0 to 1000"),
  (.optimizer, "adam", "beta1", [-0.1, 1], "0 up to, not including, 1"),
  (.optimizer, "adam", "beta2", [1.5], "0 up to, not including, 1"),
  (.optimizer, "adam", "epsilon", [0, -1e-8, 2], "above 0, up to 1"),
  (.optimizer, "adamw", "weightDecay", [-1], "0 to 1000"),
  (.schedule, "constant", "warmUp", [-1, 1e7], "0 to 1000000"),
  (.schedule, "step", "epochs", [0], "1 to 1000000"),
  (.schedule, "step", "factor", [0, -0.1, 11], "above 0, up to 10"),
  (.schedule, "cosine", "floor", [-0.1, 1.1], "0 to 1"),
]

@Test func settingsOutOfRangeAreRefusedWithTheRange() throws {
  let catalog = try Catalog([BaselinePlugin.self])
  for (slot, part, setting, values, range) in nonsense {
    let description = try catalog.description(of: slot, part)
    for value in values {
      #expect(
        message { _ = try description.resolved([setting: value], at: "part.with") }
          == "part.with.\(setting): found \(value.text), expected \(range)")
    }
  }
}

@Test func everyNumberHasARange() throws {
  let catalog = try Catalog([BaselinePlugin.self])
  for part in Slot.all.flatMap({ catalog.descriptions(of: $0) }) {
    for setting in part.settings {
      switch setting.fallback {
      case .int, .double, .array: #expect(setting.range != nil, "\(part.name).\(setting.name)")
      case .string: #expect(setting.choices != nil, "\(part.name).\(setting.name)")
      default: break
      }
    }
  }
}

@Test func whatCompanionsNameExists() throws {
  let catalog = try Catalog([BaselinePlugin.self])
  for part in Slot.all.flatMap({ catalog.descriptions(of: $0) }) {
    let companions = part.companions
    let named =
      companions.parts.map { ($0.key, $0.value) } + (companions.losses ?? []).map { (.loss, $0) }
      + companions.metrics.map { (.metric, $0) }
    for (slot, choice) in named {
      let other = try catalog.description(of: slot, choice.use)
      _ = try other.resolved(choice.with, at: "\(part.name).\(slot.name)")
    }
  }
}
