import Foundation
import Testing

@testable import fuzz

#if canImport(Glibc)
  import Glibc
#endif

/// Whether file systems can be mounted where nothing else sees them.
let canMount: Bool = {
  guard geteuid() == 0, access("/usr/bin/unshare", X_OK) == 0, let scratch = try? Scratch() else { return false }
  let script = "mount -t tmpfs -o size=64k tmpfs '\(scratch.url.path)'"
  return (try? scratch.run("/usr/bin/unshare", ["-m", "sh", "-euc", script]).isGood) ?? false
}()

extension Scratch {
  /// Runs a script in which everything but this folder and the place for temporary files can only be read, in a mount
  /// namespace of its own. `$host` is the program, `$scratch` this folder.
  func privately(_ script: String) throws -> Program.Ending {
    let setUp = """
      scratch='\(url.path)' host='\(Program.path("host"))'
      mount --make-rprivate /
      mount --bind "$scratch" "$scratch"
      mount -o remount,bind,ro /
      export TMPDIR="$scratch"
      """
    return try run("/usr/bin/unshare", ["-m", "sh", "-euc", setUp + "\n" + script])
  }
}

func typed(_ arguments: [String]) -> String { arguments.map { "'\($0)'" }.joined(separator: " ") }

@Suite(.serialized) struct Disks {
  private static let recipe = recipes.first { $0.path.hasSuffix("Baseline/recipes/vae.yaml") } ?? recipes[0]

  @Test(.enabled(if: canMount, "file systems cannot be mounted here"))
  func aRunOnADiskThatFillsUpIsRefusedAndGoesOnWhenThereIsSpace() throws {
    let scratch = try Scratch()
    var noise = Noise(campaignSeed)
    let arguments = try small(Disks.recipe, in: scratch)
    let ending = try scratch.host(
      ["compose"] + arguments + ["--per-class", "2", "--name", "run", "--runs", scratch.at("calm").path])
    try #require(ending.isGood, "\(ending.text)")
    let calm = try Snapshot(scratch.at("calm/run"))
    let bytes = calm.files.values.reduce(0) { $0 + $1.count }
    for round in 0..<(isFull ? 40 : 2) {
      let size = 4096 * (1 + noise.below(bytes * 5 / 4 / 4096))
      let out = scratch.at("out-\(round)")
      try FileManager.default.createDirectory(at: scratch.at("disk"), withIntermediateDirectories: true)
      let flags = "--per-class 2 --threads 1 --device cpu --name run --runs \"$scratch/disk\""
      let script = """
        mount -t tmpfs -o size=\(size) tmpfs "$scratch/disk"
        if "$host" compose \(typed(arguments)) \(flags); then echo "it fitted"; else echo "status $?"; fi
        find "$scratch/disk" -name '*.partial' | sed 's/^/left over: /'
        mount -o remount,size=1g "$scratch/disk"
        if [ -e "$scratch/disk/run/recipe.yaml" ]
        then "$host" compose --resume \(flags)
        else "$host" compose \(typed(arguments)) \(flags)
        fi
        cp -r "$scratch/disk/run" '\(out.path)'
        """
      let filled = try scratch.privately(script)
      #expect(filled.isGood, "\(size) bytes: \(filled.text)")
      guard filled.isGood else { continue }
      let isExplained =
        filled.text.contains("it fitted")
        || filled.text.contains("the disk is full") && filled.text.contains("status 1")
      #expect(isExplained && !filled.text.contains("left over"), "\(size) bytes: \(filled.text)")
      let differences = try Snapshot(out).differences(from: calm)
      #expect(differences.isEmpty, "\(size) bytes")
    }
  }

  @Test(.enabled(if: canMount, "file systems cannot be mounted here"))
  func aDiskThatCanOnlyBeReadIsRefused() throws {
    let scratch = try Scratch()
    let arguments = try small(Disks.recipe, in: scratch)
    try FileManager.default.createDirectory(at: scratch.at("disk"), withIntermediateDirectories: true)
    let script = """
      mount -t tmpfs tmpfs "$scratch/disk"
      "$host" compose \(typed(arguments)) --per-class 2 --name run --runs "$scratch/disk" >/dev/null
      find "$scratch/disk" -type f | sort | xargs cksum > "$scratch/before"
      mount -o remount,ro "$scratch/disk"
      for flag in --overwrite --resume; do
        if "$host" compose \(typed(arguments)) $flag --name run --runs "$scratch/disk" >/dev/null; then echo "took $flag"; fi
      done
      if "$host" compose \(typed(arguments)) --name other --runs "$scratch/disk" >/dev/null; then echo "took another"; fi
      for output in samples.png; do
        if "$host" sample "$scratch/disk/run" --output "$scratch/disk/$output" >/dev/null; then echo "took $output"; fi
      done
      find "$scratch/disk" -type f | sort | xargs cksum > "$scratch/after"
      cmp "$scratch/before" "$scratch/after"
      """
    let ending = try scratch.privately(script)
    #expect(ending.isGood && !ending.text.contains("took ") && !ending.text.contains("Fatal"), "\(ending.text)")
    #expect(ending.text.split(separator: "\n").count { $0.hasPrefix("Error: ") } >= 3, "\(ending.text)")
  }

  @Test func aRunWhoseFolderVanishesEndsWithAReason() throws {
    let scratch = try Scratch()
    var noise = Noise(campaignSeed)
    let arguments = try small(Disks.recipe, epochs: 30, in: scratch)
    for _ in 0..<(isFull ? 20 : 1) {
      let program = try scratch.start(
        "host", ["train"] + arguments + ["--overwrite", "--name", "run", "--runs", scratch.at("runs").path])
      try wait(for: scratch.at("runs/run/metrics.jsonl"), of: program)
      program.send(SIGSTOP)
      try FileManager.default.removeItem(at: scratch.at(noise.pick(["runs", "runs/run", "runs/run/checkpoints"])))
      program.send(SIGCONT)
      let ending = program.end()
      #expect(ending.isGood || ending.isRefusal, "signal \(ending.signal ?? 0): \(ending.text)")
      let isWhole = FileManager.default.fileExists(atPath: scratch.at("runs/run/recipe.yaml").path)
      #expect(!ending.isGood || isWhole, "success without a run: \(ending.text)")
    }
  }

  @Test(arguments: pairs)
  func aRunIsLeftAloneByASecondProgram(_ flags: [[String]]) throws {
    let scratch = try Scratch()
    let arguments =
      ["train"] + (try small(Disks.recipe, epochs: 30, in: scratch)) + [
        "--name", "run", "--runs", scratch.at("runs").path,
      ]
    if flags[0].contains("--resume") {
      #expect(try scratch.host(arguments).isGood, "no run to go on with")
    }
    let calm = try scratch.host(arguments.map { $0.hasSuffix("/runs") ? scratch.at("calm").path : $0 })
    try #require(calm.isGood, "\(calm.text)")
    let first = try scratch.start("host", arguments + flags[0])
    try wait(for: scratch.at("runs/run/metrics.jsonl"), of: first)
    first.send(SIGSTOP)
    let before = try Snapshot(scratch.at("runs/run"), timeless: false)
    let second = try scratch.host(arguments + flags[1])
    #expect(second.isRefusal, "\(second.text)")
    let after = try Snapshot(scratch.at("runs/run"), timeless: false)
    #expect(after.differences(from: before).isEmpty, "\(flags)")
    first.send(SIGCONT)
    let ending = first.end()
    #expect(ending.isGood, "\(ending.text)")
    let differences = try Snapshot(scratch.at("runs/run")).differences(from: Snapshot(scratch.at("calm/run")))
    #expect(differences.isEmpty, "\(flags)")
  }

  /// What two programs on one run are told: the first begins, replaces or goes on, and so does the second.
  private static let pairs: [[[String]]] = {
    let flags: [[String]] = [[], ["--overwrite"], ["--resume"]]
    return (isFull ? flags : [[]]).flatMap { first in flags.map { [first, $0] } }
  }()

  private func wait(for file: URL, of program: Program) throws {
    for _ in 0..<12_000 where !FileManager.default.fileExists(atPath: file.path) {
      guard program.isRunning else { throw Broken("ended too early: \(program.end().text)") }
      usleep(5_000)
    }
  }
}
