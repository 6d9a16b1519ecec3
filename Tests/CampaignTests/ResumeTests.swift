import Foundation
import Testing

@testable import fuzz

#if canImport(Glibc)
  import Glibc
#endif

/// Which recipe is killed how, and what the moments follow from.
struct Disturbance: CustomStringConvertible, Sendable {
  let recipe: URL
  let seed: UInt64
  var description: String { "\(recipe.deletingPathExtension().lastPathComponent), seed \(seed)" }

  /// Every recipe, with several seeds in the campaign.
  static let all: [Disturbance] = {
    var noise = Noise(campaignSeed)
    return (0..<(isFull ? 10 : 1)).flatMap { round in
      recipes.shuffled(using: &noise).map { Disturbance(recipe: $0, seed: campaignSeed &* 1000 &+ UInt64(round)) }
    }
  }()
}

@Suite(.serialized) struct Resuming {
  /// In the tests, the first two recipes that take a small table; recipes that no small run has are passed over and named.
  @Test func aRunThatIsKilledEndsAsIfUndisturbed() throws {
    var tried = 0
    var left: Set<String> = []
    for disturbance in Disturbance.all where isFull || tried < 2 {
      let scratch = try Scratch()
      guard let arguments = try? small(disturbance.recipe, in: scratch) else {
        left.insert(disturbance.recipe.lastPathComponent)
        continue
      }
      guard isFull || arguments.contains("table") else { continue }
      tried += 1
      try disturb(disturbance, arguments, in: scratch)
    }
    #expect(tried >= (isFull ? Disturbance.all.count / 2 : 2))
    if !left.isEmpty { print("passed over: \(left.sorted().joined(separator: ", "))") }
  }

  private func disturb(_ disturbance: Disturbance, _ arguments: [String], in scratch: Scratch) throws {
    var noise = Noise(disturbance.seed, disturbance.recipe.path.split(separator: "/").suffix(3).joined())
    let calm = scratch.at("calm/run")
    let ending = try scratch.host(
      ["compose"] + arguments + ["--per-class", "2", "--name", "run", "--runs", scratch.at("calm").path])
    try #require(ending.isGood, "\(ending.text)")

    let wild = scratch.at("wild/run")
    let begin = ["compose"] + arguments + ["--per-class", "2", "--name", "run", "--runs", scratch.at("wild").path]
    let goOn = [
      "compose", "--per-class", "2", "--threads", "1", "--device", "cpu", "--resume", "--name", "run", "--runs",
      scratch.at("wild").path,
    ]
    func command() -> [String] {
      FileManager.default.fileExists(atPath: wild.appendingPathComponent("recipe.yaml").path) ? goOn : begin
    }
    var story: [String] = []
    for _ in 0..<(isFull ? 1 + noise.below(4) : 2) {
      let signal = noise.pick([SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGHUP])
      let program = try scratch.start("host", command())
      // Most of a small run is its start and its end; some kills come twice.
      usleep(UInt32(1e6 * ending.seconds * Double(noise.below(1000)) / 1000))
      program.send(signal)
      if signal != SIGKILL, noise.oneIn(3) { program.send(signal) }
      let killed = program.end()
      story.append("signal \(signal): \(killed.signal.map { "ended by \($0)" } ?? "status \(killed.status)")")
      let isExpected =
        killed.isGood || killed.signal == signal || killed.signal == nil && killed.text.contains("--resume")
      #expect(isExpected, "\(disturbance) \(story) \(killed.text)")
    }
    let last = try scratch.host(command())
    #expect(last.isGood, "\(disturbance) \(story) \(last.text)")
    let differences = try Snapshot(wild).differences(from: Snapshot(calm))
    #expect(differences.isEmpty, "\(disturbance) \(story)")
  }
}
