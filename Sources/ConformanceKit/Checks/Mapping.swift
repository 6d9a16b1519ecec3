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
  /// Whether inputs may be images.
  var takesImages = false
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
    let worlds = try fitting(subject)
    // A refusal by libtorch of all data says that the work goes wrong, not that the part takes other data.
    if worlds.isEmpty, let world = kinds.first?.first, let error = try fits(subject, world) as? TensorError {
      throw Fault("libtorch refuses the part's work: \(error) [\(world)]")
    }
    var verdict: Verdict?
    for world in worlds {
      do {
        let next = try body(subject, make(subject, world, dtype: dtype))
        verdict = verdict.map { $0.worse(next) } ?? next
      } catch let fault as Fault { throw Fault("\(fault.reason) [\(world)]") }
    }
    return verdict ?? .skipped("it takes none of the checks' data; 'fits' says why")
  }

  /// The worlds that the part takes, one of each kind.
  func fitting(_ subject: Subject<Role>) throws -> [World] {
    try kinds.compactMap { try $0.first { try fits(subject, $0) == nil } }
  }

  /// The refusal of a world; nil where the part takes it.
  func fits(_ subject: Subject<Role>, _ world: World) throws -> (any Error)? {
    do {
      let made = try make(subject, world)
      _ = try withoutGradients { try apply(made.part, sample(made, 3, 0)) }
      return nil
    } catch let error as RecipeError { return error } catch let error as TensorError { return error } catch let error
      as ConfigError
    { return error }
  }
}
