import LatentKit

/// The result of one check.
public enum Outcome: String, Codable, Sendable, CaseIterable {
  /// The fact holds.
  case passed
  /// The fact holds in part, or could not be shown: worth a look.
  case warning
  /// The check does not apply to the part.
  case skipped
  /// The fact does not hold.
  case failed
  /// The part ended the process, or did not come to an end.
  case crashed

  /// Whether a part with such a finding does not conform.
  public var isFault: Bool { self == .failed || self == .crashed }
}

/// The result of one check of one part.
public struct Finding: Codable, Sendable, Equatable {
  /// The name of the part's slot.
  public let slot: String
  /// The name of the part.
  public let part: String
  /// The name of the check.
  public let check: String
  /// The fact that was checked, in a sentence.
  public let fact: String
  /// The result.
  public var outcome: Outcome
  /// The reason, in a sentence; empty where the check passed.
  public var reason: String
  /// The seed that reproduces the result.
  public let seed: UInt64

  /// Creates a finding about a part or a composition.
  init(
    slot: String, part: String, check: String, fact: String, _ outcome: Outcome, _ reason: String, seed: UInt64
  ) {
    (self.slot, self.part, self.check, self.fact) = (slot, part, check, fact)
    (self.outcome, self.reason, self.seed) = (outcome, reason, seed)
  }
}

extension Finding: CustomStringConvertible {
  /// `prior 'ring', normalised: failed (…); seed 1`.
  public var description: String {
    "\(slot) '\(part)', \(check): \(outcome.rawValue)" + (reason.isEmpty ? "" : " (\(reason))") + "; seed \(seed)"
  }
}

/// Parts that do not conform, with every finding that says so.
public struct ConformanceError: Error, CustomStringConvertible {
  /// The findings that are faults.
  public let findings: [Finding]

  public var description: String {
    "\(findings.count) of the checks failed:\n" + findings.map { "  \($0)" }.joined(separator: "\n")
  }
}
