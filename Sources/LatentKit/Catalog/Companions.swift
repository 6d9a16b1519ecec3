/// Trained weights that a part takes from a folder: `{from: ./faces, frozen: true}`.
public struct PartOrigin: Sendable, Equatable {
  /// The folder that `host export` wrote, from the working directory, or an absolute path.
  public var folder: String
  /// Whether the weights stay as they are.
  public var isFrozen: Bool
  /// The SHA-256 of the folder's description, which has those of its files; nil until the recipe is resolved.
  public var checksum: String?

  /// Creates an origin.
  public init(_ folder: String, isFrozen: Bool = false, checksum: String? = nil) {
    (self.folder, self.isFrozen, self.checksum) = (folder, isFrozen, checksum)
  }
}

/// The library that a part comes from, where it is in another language: `{use: laplace, foreign: ./laplace.yaml}`.
public struct ForeignOrigin: Sendable, Equatable {
  /// The manifest that `--foreign` names, from the working directory, or an absolute path.
  public var manifest: String
  /// The SHA-256 over the manifest and its library; nil until the recipe is resolved.
  public var checksum: String?

  /// Creates an origin.
  public init(_ manifest: String, checksum: String? = nil) { (self.manifest, self.checksum) = (manifest, checksum) }
}

/// A part by name with its settings: `{use: pedcc, with: {classes: 20}}`.
public struct PartChoice: Sendable, Equatable, ExpressibleByStringLiteral {
  /// The name of the part.
  public var use: String
  /// The settings that differ from the defaults.
  public var with: [String: Value]
  /// A factor; only losses have one.
  public var weight: Double
  /// Where its weights come from; nil for a part that starts from random ones. The name may be empty then until the recipe is
  /// resolved.
  public var origin: PartOrigin?
  /// The library that it comes from; nil for a part of this program.
  public var foreign: ForeignOrigin?

  /// Creates a choice.
  public init(_ use: String, with settings: [String: Value] = [:], weight: Double = 1) {
    self.use = use
    self.with = settings
    self.weight = weight
  }

  public init(stringLiteral use: String) { self.init(use) }
}

/// An action at the end of a stage, or after each run of a step.
public enum Action: Sendable, Equatable {
  /// Projects every weight of two or more axes whose name begins with one of `parameters` (all of the model, or of what the
  /// step trains, where that is empty); biases, slopes and other vectors too, where `biases` is true.
  case project(PartChoice, parameters: [String] = [], biases: Bool = false)
  /// Freezes the weights that are zero now, for the rest of the run.
  case mask
  /// Takes the weights that are not masked back to the values the run started with.
  case rewind
}

/// Defaults that a part of any slot declares for the rest of a recipe. All of them are written into the resolved recipe.
///
/// What a recipe says comes first. Of parts that suggest different things, the prior's suggestion is taken, then that of the
/// encoder, the decoder, the sampler and the other slots of one part; losses, metrics and the other parts come last, and
/// are refused where they disagree. What companions name may have companions in turn.
public struct Companions: Sendable {
  /// Parts for other slots: `[.decoder: "deconv", .optimizer: "adam"]`. An optimiser or a schedule that a loss suggests is for
  /// its own step.
  public var parts: [Slot: PartChoice]
  /// The losses of a recipe that names none.
  public var losses: [PartChoice]?
  /// Metrics for a recipe that names none; those of all parts together.
  public var metrics: [PartChoice]
  /// The number of epochs, 1 or more.
  public var epochs: Int?
  /// The batch size, 1 or more.
  public var batch: Int?
  /// Settings of other parts, applied where those have them: `[.data: ["pad": 2], .encoder: ["code": "gaussian"]]`.
  public var settings: [Slot: [String: Value]]
  /// Steps ahead of the stage's own: those that train a critic. They are added to each stage with a step that trains a slot
  /// of `joining` or `after`, or the decoder where both are empty; to none where the recipe trains the same already.
  public var steps: [Step]
  /// Losses that join the step which trains another slot, the first in each stage:
  /// `[.decoder: [PartChoice("adversarial", weight: 0.01)]]`. Where there are `steps`, they join only together with those.
  public var joining: [Slot: [PartChoice]]
  /// Projections that follow each step which trains a slot. Where there are `steps`, they are added only together with those.
  public var after: [Slot: [Action]]

  /// Creates companions; nil and empty values leave the choice to others.
  public init(
    _ parts: [Slot: PartChoice] = [:], losses: [PartChoice]? = nil, metrics: [PartChoice] = [], epochs: Int? = nil,
    batch: Int? = nil, settings: [Slot: [String: Value]] = [:], steps: [Step] = [], joining: [Slot: [PartChoice]] = [:],
    after: [Slot: [Action]] = [:]
  ) {
    self.parts = parts
    self.losses = losses
    self.metrics = metrics
    self.epochs = epochs
    self.batch = batch
    self.settings = settings
    self.steps = steps
    self.joining = joining
    self.after = after
  }

  /// The fault of companions that could not take effect, in a sentence; nil where there is none.
  var defect: String? {
    if let slot = Slot.all.first(where: { parts[$0] != nil && ($0 == .loss || $0 == .constraint) }) {
      return "its companions have a part for slot '\(slot.name)'; use 'losses', 'joining' or 'after'"
    }
    for slot in Slot.all where !slot.isTrainable && (joining[slot] != nil || after[slot] != nil) {
      return "its companions join a step that trains \(slot.name), which has no weights"
    }
    if after.values.joined().contains(where: { if case .project = $0 { false } else { true } }) {
      return "its companions follow a step by an action that is no projection"
    }
    return nil
  }
}
