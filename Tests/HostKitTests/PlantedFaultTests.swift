import Foundation
import Testing

/// Runs a program and returns its exit status and what it printed.
private func run(_ arguments: String...) throws -> (status: Int32, output: String) {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return (process.terminationStatus, output)
}

private let readsTOML = (try? run("python3", "-c", "import tomllib").status) == 0

/// `make mutants`, which plants the faults of `Tests/mutants.toml`, is run seldom: that they still fit the sources is looked at each time.
@Suite(.enabled(if: readsTOML, "needs Python 3.11 or later")) struct PlantedFaults {
  private let script = packageRoot.appendingPathComponent("Scripts/mutants")
  private let list = packageRoot.appendingPathComponent("Tests/mutants.toml")

  @Test func eachFitsTheSources() throws {
    let (status, output) = try run("python3", "-B", script.path, "--check")
    #expect(status == 0, "\(output)")
    let count = try String(contentsOf: list, encoding: .utf8).matches(of: /(?m)^\[\[fault\]\]$/).count
    #expect(count >= 30 && output.contains("\(count) faults"))
  }

  @Test func oneThatDoesNotFitIsRefusedByName() throws {
    let scratch = try Scratch()
    for name in ["Scripts", "Tests/T"] {
      try FileManager.default.createDirectory(
        at: scratch.url.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    try FileManager.default.copyItem(at: script, to: scratch.url.appendingPathComponent("Scripts/mutants"))
    _ = try scratch.write("let n = 1\nlet m = 1\n", to: "a.swift")
    _ = try scratch.write("@Suite struct Numbers {}\n", to: "Tests/T/NumberTests.swift")
    func fault(_ name: String, _ find: String, in file: String = "a.swift", test: String = "T.Numbers") -> String {
      "[[fault]]\nname = '\(name)'\nfile = '\(file)'\nfind = '\(find)'\nput = 'let n = 2'\nwhy = ''\ntests = ['\(test)']\n"
    }
    func check(_ faults: String...) throws -> (status: Int32, output: String) {
      _ = try scratch.write(faults.joined(), to: "Tests/mutants.toml")
      return try run("python3", "-B", "\(scratch.path)/Scripts/mutants", "--check")
    }
    #expect(try check(fault("fine", "let n = 1")).status == 0)
    let (status, output) = try check(
      fault("fine", "let n = 1"), fault("twice", " = 1"), fault("gone", "let k"), fault("lost", "let n", in: "b.swift"),
      fault("unseen", "let n = 1", test: "T.Number"), fault("alone", "let n = 1", test: "U"))
    #expect(status != 0 && !output.contains("fine:"))
    #expect(output.contains("twice: found its text 2 times in a.swift, expected once"))
    #expect(output.contains("gone: found its text 0 times in a.swift") && output.contains("lost: there is no b.swift"))
    #expect(output.contains("unseen: there is no test T.Number\n") && output.contains("alone: there is no test U\n"))
    #expect(try check(fault("a", "let n = 1"), fault("a", "let m = 1")).output.contains("two faults of the name a"))
  }
}
