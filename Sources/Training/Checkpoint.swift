import Files
import Foundation
import LatentKit
import Recipes

/// Everything that training needs to go on as if it had not stopped: one safetensors file with every tensor and every
/// generator's state, whose header carries the counters as JSON. One file, one rename: the parts cannot disagree.
public struct Checkpoint {
  /// The position of training. Every count is of finished things.
  public struct Position: Codable, Sendable, Equatable {
    /// Stages done.
    public var stage = 0
    /// Epochs of the stage done.
    public var epoch = 0
    /// Iterations in the epoch at hand.
    public var iteration = 0
    /// Iterations of the whole run.
    public var totalIterations = 0
    /// Batches that repeated steps and groups took beside the epoch's own, in the stage at hand.
    public var extraBatches = 0
    /// Sums of the loss terms over the epoch at hand, by term.
    public var sums: [String: Double] = [:]
    /// The number of iterations behind each sum.
    public var counts: [String: Int] = [:]
    /// The factor of losses in Float16; nil otherwise, and before the first step.
    public var lossScale: LossScale?
    /// The norms of the last batch's gradients, between an epoch's last batch and its end.
    public var gradientNorms: [String: Double]?
    /// Seconds that the epoch at hand has taken.
    public var seconds = 0.0
    /// Length of `metrics.jsonl` in bytes.
    public var metricsLength = 0
    /// Whether the run has ended.
    public var isFinished = false
    /// The best epoch of the stage at hand; nil where that has no `stop`, and before its first epoch is over.
    public var best: BestEpoch?
    /// How the stages done ended that have a `stop`; nil for none.
    public var stops: [StageStop]?

    public init() {}

    /// What is impossible about it, whatever the recipe; nil where nothing is.
    var problem: String? {
      let counters = [
        ("stage", stage), ("epoch", epoch), ("iteration", iteration), ("totalIterations", totalIterations),
        ("extraBatches", extraBatches), ("metricsLength", metricsLength),
      ]
      if let (name, count) = counters.first(where: { !(0...1 << 53).contains($0.1) }) {
        return "\(name) \(count), expected 0 to 2^53"
      }
      // A thousand years.
      guard (0...3.2e10).contains(seconds) else { return "seconds \(seconds), expected 0 to 3.2e10" }
      for (term, sum) in sums.sorted(by: { $0.key < $1.key }) {
        guard sum.isFinite, counts[term] != nil else {
          return "the sum \(sum) of '\(term)', expected a number with its count"
        }
      }
      for (term, count) in counts.sorted(by: { $0.key < $1.key }) where count < 1 || sums[term] == nil {
        return "the count \(count) of '\(term)', expected 1 or more, with its sum"
      }
      if let problem = lossScale?.problem { return problem }
      return best?.problem(after: epoch) ?? (stops ?? []).lazy.compactMap(\.problem).first
    }

    /// Epochs of a stage that is done.
    public func epochs(of stage: Recipe.Stage) -> Int {
      stops?.first { $0.stage == stage.name }?.epochs ?? stage.epochs
    }

    /// What cannot be in training of these stages; nil where nothing is.
    /// - Parameter iterations: Batches in an epoch of each stage.
    func problem(in stages: [ComposedStage], iterations: [Int]) -> String? {
      guard stage <= stages.count, !isFinished || stage == stages.count else {
        return "stage \(stage)\(isFinished ? " of a finished run" : ""), the recipe has \(stages.count)"
      }
      var total = zip(stages, iterations).prefix(stage).reduce(0) { $0 &+ epochs(of: $1.0.recipe) &* $1.1 }
      guard stage < stages.count else {
        let counters = [("epoch", epoch), ("iteration", iteration), ("extraBatches", extraBatches)]
        if let (name, count) = counters.first(where: { $0.1 != 0 }) {
          return "\(name) \(count) after the last stage, expected 0"
        }
        if let term = sums.keys.min() { return "a sum of '\(term)' after the last stage, expected none" }
        guard totalIterations == total else {
          return "totalIterations \(totalIterations) after the last stage, expected \(total)"
        }
        return nil
      }
      let (recipe, length) = (stages[stage].recipe, iterations[stage])
      guard epoch <= recipe.epochs else {
        return "epoch \(epoch) of stage '\(recipe.name)', which has \(recipe.epochs)"
      }
      guard iteration <= length, epoch < recipe.epochs || iteration == 0 else {
        return "iteration \(iteration) of epoch \(epoch), an epoch of stage '\(recipe.name)' has \(length)"
      }
      let done = epoch &* length &+ iteration
      total &+= done
      guard totalIterations == total else {
        return "totalIterations \(totalIterations), expected \(total) at this place"
      }
      let extra = stages[stage].extraBatches &* done
      guard extraBatches == extra else { return "extraBatches \(extraBatches), expected \(extra) at this place" }
      let most = iteration &* (stages[stage].runs.max() ?? 1)
      if let (term, count) = counts.sorted(by: { $0.key < $1.key }).first(where: { $0.value > most }) {
        return "the count \(count) of '\(term)', expected at most \(most) after \(iteration) iterations"
      }
      return nil
    }
  }

  /// The machine of a run, on which its bits depend beside the recipe.
  public struct Machine: Codable, Sendable, Equatable, CustomStringConvertible {
    /// The device.
    public var device: String
    /// Threads per operation.
    public var threads: Int
    /// The version of libtorch.
    public var libtorch: String

    /// Creates the description of this machine with a device.
    public init(device: Device) {
      self.device = device.description
      threads = Torch.threadCount
      libtorch = Torch.version
    }

    public var description: String { "\(device) with \(threads) threads and libtorch \(libtorch)" }
  }

  /// The position in training.
  public var position: Position
  /// The machine that the bits depend on.
  public var machine: Machine
  /// The checksum of the training data; nil for data without one.
  public var digest: String?
  /// `model.…`, `optimizer.<step>.…`, `mask.…`, `generator.…`; `prior.latents` and `prior.labels`: what the prior learned from.
  public var tensors: [String: Tensor]

  /// Writes the checkpoint to one file, at once or not at all.
  ///
  /// - Throws: `FileError`.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    func json(_ value: some Encodable) throws -> String { String(decoding: try encoder.encode(value), as: UTF8.self) }
    var metadata = [
      "format": "latentkit-checkpoint-1", "position": try json(position), "machine": try json(machine),
    ]
    // Tables were the first to have one.
    metadata["table"] = digest
    try Safetensors.write(tensors, metadata: metadata, isChecked: true, to: url)
  }

  /// Reads a checkpoint.
  ///
  /// - Throws: `FileError` for a file that is missing, damaged or of another version.
  public static func read(_ url: URL) throws -> Checkpoint {
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw FileError(url.path, "there is no checkpoint; the run ended before its first one, start it anew")
    }
    let (tensors, metadata) = try Safetensors.read(url)
    guard metadata["format"] == "latentkit-checkpoint-1" else {
      throw FileError(url.path, "is not a checkpoint of LatentKit, or one of another version")
    }
    func decode<Value: Decodable>(_ type: Value.Type, _ key: String) throws -> Value {
      guard let text = metadata[key] else {
        throw FileError(url.path, "is damaged: it has no \(key); start the run anew")
      }
      do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
        throw FileError(url.path, "is damaged: its \(key) has \(problem(of: error, in: text)); start the run anew")
      }
    }
    let (position, machine) = (try decode(Position.self, "position"), try decode(Machine.self, "machine"))
    if let problem = position.problem {
      throw FileError(url.path, "is damaged: its position has \(problem); start the run anew")
    }
    return Checkpoint(position: position, machine: machine, digest: metadata["table"], tensors: tensors)
  }

  /// Copies a group of tensors into the places of the same names.
  ///
  /// - Throws: `FileError` where one is missing or has another shape: the recipe is not the one of the checkpoint.
  func restore(_ group: String, into places: [(name: String, tensor: Tensor)], from url: URL) throws {
    for (name, place) in places {
      guard let saved = tensors["\(group).\(name)"] else {
        throw FileError(url.path, "has no '\(name)'; it belongs to another recipe")
      }
      guard saved.shape == place.shape else {
        throw FileError(
          url.path, "'\(name)' has shape \(saved.shape), the recipe makes \(place.shape); it belongs to another recipe")
      }
      guard saved.dtype == place.dtype else {
        throw FileError(
          url.path, "'\(name)' has type \(saved.dtype), the recipe makes \(place.dtype); it belongs to another recipe")
      }
      // Training refuses to write such weights; sums of squares in an optimiser's state may overflow.
      guard try group != "model" || !saved.dtype.isFloatingPoint || saved.isFinite().all() else {
        throw FileError(
          url.path,
          "is damaged: '\(group).\(name)' holds values that are not finite; take another checkpoint, or start the run anew"
        )
      }
      try place.copyInPlace(saved)
    }
  }

  /// Fits a prior again, to the latents that it was fitted to. They are kept rather than the prior's
  /// parameters, whose size is unknown while a model is made.
  ///
  /// - Returns: Those latents; nil for another prior, and before the end of the first stage.
  func teach(_ composition: Composition, on device: Device) throws -> LatentSet? {
    guard let prior = composition.model.prior as? any FittablePrior, let latents = tensors["prior.latents"] else {
      return nil
    }
    let set = LatentSet(
      latents: try latents.to(device), labels: try tensors["prior.labels"]?.to(device),
      labelled: try tensors["prior.labelled"]?.to(device))
    try prior.fit(set, seed: composition.recipe.randomSeed)
    return set
  }

  /// Refuses data that have changed since the run was trained: their parts, and what transforms were fitted on, would be
  /// others.
  ///
  /// - Parameter found: The checksum of the data as they are now; nil for data without one.
  /// - Throws: `FileError`. A checkpoint without a checksum accepts any data.
  public func require(digest found: String?, from url: URL) throws {
    guard let digest, let found, digest != found else { return }
    throw FileError(
      url.path,
      "found data with checksum \(found), expected \(digest) as when the run was trained; put the old files back, or "
        + "compose the recipe again as a new run")
  }

  /// Puts the weights and buffers of a checkpoint into a model.
  public static func load(_ composition: Composition, from url: URL) throws -> Position {
    let checkpoint = try read(url)
    try checkpoint.load(composition, from: url)
    return checkpoint.position
  }

  /// Puts the weights and buffers into a model.
  public func load(_ composition: Composition, from url: URL) throws {
    try restore("model", into: composition.store.parameters.map { ($0.name, $0.tensor) }, from: url)
    _ = try teach(composition, on: composition.store.parameters.first?.tensor.device ?? .cpu)
  }
}

/// What is wrong with a text that should be JSON of a known form, with the name of the field.
private func problem(of error: any Error, in text: String) -> String {
  func name(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: ".") }
  switch error {
  case DecodingError.keyNotFound(let key, let context): return "no \(name(context.codingPath + [key]))"
  case DecodingError.valueNotFound(_, let context): return "nothing as \(name(context.codingPath))"
  case DecodingError.typeMismatch(let type, let context):
    return context.codingPath.isEmpty
      ? "another form, expected an object" : "\(name(context.codingPath)) of another kind, expected \(kind(of: type))"
  case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
    return "an impossible \(name(context.codingPath))"
  default: return fraction(in: text) ?? "text that is not JSON, or a number that is none"
  }
}

/// A fraction, or a number that is too large, in place of a whole number: some decoders report it without its field.
private func fraction(in text: String) -> String? {
  guard case .object(let fields)? = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else { return nil }
  let fractions: Set = ["seconds", "sums", "gradientNorms", "best", "stops"]
  for (name, value) in fields.sorted(by: { $0.key < $1.key }) where !fractions.contains(name) {
    if case .double(let number) = value { return "\(name) \(number), expected a whole number" }
    guard case .object(let inner) = value else { continue }
    for case (let key, .double(let number)) in inner.sorted(by: { $0.key < $1.key }) {
      return "\(name).\(key) \(number), expected a whole number"
    }
  }
  return nil
}

private func kind(of type: Any.Type) -> String {
  switch type {
  case is Int.Type: "a whole number"
  case is Double.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "text"
  default: "an object"
  }
}
