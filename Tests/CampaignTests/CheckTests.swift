import Foundation
import Testing

/// `host check` as a program: each part in a process of its own.
@Suite(.serialized) struct Checks {
  private struct Found: Decodable {
    let slot: String
    let part: String
    let check: String
    let outcome: String
    let reason: String
    let seed: Int
  }

  private func found(_ text: String) throws -> [Found] {
    try text.split(separator: "\n").map { try JSONDecoder().decode(Found.self, from: Data($0.utf8)) }
  }

  @Test func aPartIsCheckedAndFindingsAreLinesOfJSON() throws {
    let ending = try Scratch().host(["check", "schedule", "prior:pedcc", "--json", "--seed", "7"])
    #expect(ending.isGood, "\(ending.text)")
    let found = try found(ending.text)
    #expect(Set(found.map(\.part)) == ["constant", "step", "cosine", "pedcc"])
    #expect(found.allSatisfy { $0.seed == 7 && ["passed", "skipped", "warning"].contains($0.outcome) })
    #expect(found.contains { $0.slot == "prior" && $0.check == "normalised" && $0.outcome == "passed" })
  }

  @Test func anUnknownNameIsRefusedWithTheNearest() throws {
    let ending = try Scratch().host(["check", "pedc"])
    #expect(ending.isRefusal && ending.text.contains("Did you mean 'pedcc'?"), "\(ending.text)")
  }

  @Test func aForeignPartThatEndsItsProcessIsAFinding() throws {
    let scratch = try Scratch()
    let fixtures = root.appendingPathComponent("Tests/ForeignPartsTests/Fixtures")
    for (source, library) in [("laplace.c", "liblaplace.so"), ("hostile.cpp", "libhostile.so")] {
      let source = fixtures.appendingPathComponent(source).path
      let built = try scratch.run(
        "/usr/bin/env",
        ["c++", "-fPIC", "-shared", "-x", source.hasSuffix(".c") ? "c" : "c++", source, "-o", scratch.at(library).path])
      try #require(built.isGood, "\(built.text)")
    }
    try FileManager.default.copyItem(
      at: fixtures.appendingPathComponent("laplace.yaml"), to: scratch.at("laplace.yaml"))
    try scratch.write(
      """
      library: ./libhostile.so
      parts:
        - prior: crash
          summary: a prior that ends the process
          density: {call: crashes, takes: [latents: double*], returns: {log-density: double}}
      """, to: "crash.yaml")
    let ending = try scratch.host(
      ["check", "prior:laplace", "prior:crash", "--json", "--foreign", scratch.at("laplace.yaml").path]
        + ["--foreign", scratch.at("crash.yaml").path])
    #expect(ending.signal == nil && ending.status == 1, "\(ending.text)")
    let found = try found(ending.text)
    #expect(found.filter { $0.part == "laplace" }.allSatisfy { ["passed", "skipped"].contains($0.outcome) })
    #expect(
      found.contains {
        $0.part == "crash" && $0.check == "shapes" && $0.outcome == "crashed"
          && $0.reason.hasPrefix("'crashes' of ./libhostile.so aborted (SIGABRT) and ended the program")
      })
  }

  @Test(arguments: [("setup_exits", "called exit"), ("setup_faults", "touched memory that is not its own (SIGSEGV)")])
  func aLibraryThatEndsItsProcessWhereItIsSetUpIsAFinding(setup: String, words: String) throws {
    let scratch = try Scratch()
    let source = root.appendingPathComponent("Tests/ForeignPartsTests/Fixtures/hostile.cpp").path
    let built = try scratch.run(
      "/usr/bin/env", ["c++", "-fPIC", "-shared", source, "-o", scratch.at("libhostile.so").path])
    try #require(built.isGood, "\(built.text)")
    try scratch.write(
      """
      library: ./libhostile.so
      setup: [\(setup)]
      parts:
        - {prior: one, summary: a prior, density: {call: box, takes: [value: double], returns: {density: double}}}
        - {prior: two, summary: another, density: {call: box, takes: [value: double], returns: {density: double}}}
      """, to: "setup.yaml")
    let manifest = scratch.at("setup.yaml").path
    let ending = try scratch.host(["check", "prior:one", "--json", "--foreign", manifest])
    #expect(ending.signal == nil && ending.status == 1, "\(ending.text)")
    let found = try found(ending.text)
    #expect(found.map(\.part) == ["one", "two"] && found.allSatisfy { $0.outcome == "crashed" && $0.check == "loads" })
    #expect(found.allSatisfy { $0.reason.contains("'\(setup)' of ./libhostile.so \(words)") }, "\(found)")
    // Other commands say the same, and nothing more.
    let listed = try scratch.host(["list", "prior", "--foreign", manifest])
    #expect(listed.signal == nil && listed.status != 0, "\(listed.text)")
    #expect(
      listed.text.hasPrefix("Error: '\(setup)' of ./libhostile.so \(words)") && listed.text.count { $0 == "\n" } == 1)
  }

  @Test func drawnCompositionsAreTrainedOrRefused() throws {
    let ending = try Scratch().host(["check", "--matrix", "--drawn", "--rows", "12", "--all"])
    #expect(ending.isGood, "\(ending.text)")
    #expect(ending.text.split(separator: "\n").count == 13 && ending.text.contains("refused before training"))
  }
}
