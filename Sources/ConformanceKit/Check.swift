import LatentKit

/// A check of one fact about the parts of a slot.
public struct Check: Sendable {
  /// The slot whose parts it checks.
  public let slot: Slot
  /// The name: `same-seed`.
  public let name: String
  /// The fact, in a sentence.
  public let fact: String
  private let body: @Sendable (PartUnderTest) throws -> Verdict

  init(_ slot: Slot, _ name: String, _ fact: String, _ body: @escaping @Sendable (PartUnderTest) throws -> Verdict) {
    (self.slot, self.name, self.fact, self.body) = (slot, name, fact, body)
  }

  /// Checks a part in this process: a trap of the part ends it.
  public func run(on part: PartUnderTest) -> Finding {
    let verdict: Verdict
    do { verdict = try body(part) } catch let refusal as Skip {
      verdict = .skipped(refusal.reason)
    } catch let fault as Fault {
      verdict = .failed(fault.reason)
    } catch { verdict = .failed("it threw: \(error)") }
    return finding(about: part, verdict.outcome, verdict.reason)
  }

  private func finding(about part: PartUnderTest, _ outcome: Outcome, _ reason: String) -> Finding {
    Finding(slot: slot.name, part: part.name, check: name, fact: fact, outcome, reason, seed: part.seed)
  }

  /// The check of a part, to be run in any process.
  func task(on part: PartUnderTest) -> CheckTask {
    CheckTask(name: name) {
      run(on: part)
    } crashed: {
      finding(about: part, .crashed, $0)
    }
  }
}

/// What a check says about a part.
enum Verdict: Sendable, Equatable {
  case passed
  case warning(String)
  case skipped(String)
  case failed(String)

  /// The one that weighs more; the first of two that weigh alike.
  func worse(_ other: Verdict) -> Verdict { other.weight > weight ? other : self }

  var outcome: Outcome {
    switch self {
    case .passed: .passed
    case .warning: .warning
    case .skipped: .skipped
    case .failed: .failed
    }
  }

  var reason: String {
    switch self {
    case .passed: ""
    case .warning(let reason), .skipped(let reason), .failed(let reason): reason
    }
  }

  private var weight: Int {
    switch self {
    case .skipped: 0
    case .passed: 1
    case .warning: 2
    case .failed: 3
    }
  }
}

/// A fact that does not hold, with the reason.
struct Fault: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A check that does not apply, with the reason.
struct Skip: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// Throws a `Fault` where a condition does not hold.
func require(_ condition: @autoclosure () throws -> Bool, _ reason: @autoclosure () throws -> String) throws {
  if try !condition() { throw Fault(try reason()) }
}

/// A part of a catalog that is to be checked.
public struct PartUnderTest: Sendable {
  /// The catalog that has it, and its companions.
  public let catalog: Catalog
  /// Its description.
  public let description: PartDescription
  /// The seed of weights, inputs and draws.
  public let seed: UInt64
  /// The device that it is checked on.
  public let device: Device

  /// The name of the part.
  public var name: String { description.name }

  /// Creates a part under test.
  ///
  /// - Parameters:
  ///   - catalog: Has the part, and the parts that it names as companions.
  ///   - seed: The seed of weights, inputs and draws.
  public init(_ description: PartDescription, in catalog: Catalog, seed: UInt64 = 1, device: Device = .cpu) {
    (self.description, self.catalog, self.seed, self.device) = (description, catalog, seed, device)
  }

  /// The checks of the part's slot, in order.
  public var tasks: [CheckTask] { Check.all(for: description.slot).map { $0.task(on: self) } }

  /// Runs the checks of the part's slot in this process.
  ///
  /// - Parameter willRun: Called with each check before it runs.
  public func findings(_ willRun: (Check) -> Void = { _ in }) -> [Finding] {
    Check.all(for: description.slot).map { check in
      willRun(check)
      return check.run(on: self)
    }
  }
}

/// Checks every part of a plugin in this process.
///
///     @Test func myPartsConform() throws { try conformance(of: MyPlugin.self) }
///
/// - Parameters:
///   - others: Plugins whose parts it names as companions.
///   - seed: The seed of weights, inputs and draws.
/// - Returns: Every finding, in the order of slots.
/// - Throws: `ConformanceError` with the findings that are faults; `CatalogError` for a defect in how a part is declared.
@discardableResult
public func conformance(
  of plugin: any Plugin.Type, with others: [any Plugin.Type] = [], seed: UInt64 = 1, device: Device = .cpu
) throws -> [Finding] {
  let catalog = try Catalog(others.filter { $0.name != plugin.name } + [plugin])
  let parts = Slot.all.flatMap { catalog.descriptions(of: $0) }.filter { $0.plugin == plugin.name }
  let findings = parts.flatMap { PartUnderTest($0, in: catalog, seed: seed, device: device).findings() }
  let faults = findings.filter(\.outcome.isFault)
  guard faults.isEmpty else { throw ConformanceError(findings: faults) }
  return findings
}
