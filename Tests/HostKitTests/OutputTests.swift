import Figures
import Foundation
import LatentKit
import Runs
import Testing
import Training

@testable import Datasets
@testable import HostKit

/// A run on a few embedded digits.
private func train(_ scratch: Scratch, _ more: String...) throws -> RunFolder {
  try host(
    [
      "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "class-gaussian", "--set",
      "encoder.hidden=[16]", "--set", "data.limit=200", "--set", "data.embedded=true", "--epochs", "1", "--per-class",
      "2", "--runs", scratch.path, "--name", "run",
    ] + more)
  return RunFolder(scratch.url.appendingPathComponent("run"))
}

private func contents(_ folder: URL) throws -> [String: Data] {
  try FileManager.default.subpathsOfDirectory(atPath: folder.path).reduce(into: [:]) {
    $0[$1] = try? Data(contentsOf: folder.appendingPathComponent($1))
  }
}

@Suite struct Outputs {
  @Test func aRunsOwnFilesAreNeverReplacedByCommands() throws {
    let scratch = try Scratch()
    let run = try train(scratch)
    let before = try contents(run.url)
    let pipe = scratch.url.appendingPathComponent("pipe.png")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let link = scratch.url.appendingPathComponent("link.npz")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: pipe)
    // The folder by another way.
    let away = scratch.url.appendingPathComponent("away")
    try FileManager.default.createSymbolicLink(at: away, withDestinationURL: run.url)
    let figure = run.figure("samples.png").path
    for (option, path, reason) in [
      ("--output", run.recipe.path, "is a file of the run"), ("--latents", run.checkpoint.path, "is a file of the run"),
      ("--samples", run.latents.path, "is a file of the run"), ("--output", figure, "is a file of the run"),
      ("--latents", "\(away.path)/metrics.jsonl", "is a file of the run"),
      ("--output", "\(run.url.path)/figures/../summary.json", "is a file of the run"),
      ("--output", pipe.path, "is a pipe"),
      ("--samples", link.path, "is a link"), ("--output", scratch.path, "is a folder"),
      ("--output", "\(scratch.path)/none/x.png", "is not a folder"), ("--latents", "", "expected the name of a file"),
      ("--samples", "\(scratch.path)/x.txt", "ends in .npz, .csv, .safetensors"),
      ("--latents", "\(scratch.path)/x.png", "ends in .safetensors"),
    ] {
      let found = message("sample", run.url.path, "--per-class", "2", option, path)
      #expect(found.contains(reason), "\(option) \(path): \(found)")
    }
    #expect(message("reconstruct", run.url.path, "--output", run.recipe.path).contains("is a file of the run"))
    #expect(
      message("centroids", "pedcc", "--classes", "2", "--output", figure).contains("is a file of the run"))
    let twice = "\(scratch.path)/x.safetensors"
    #expect(message("sample", run.url.path, "--latents", twice, "--samples", twice).contains("two options"))
    #expect(try contents(run.url) == before)

    // Without a name, pictures go beside the run's own.
    try host("sample", run.url.path, "--per-class", "3", "--seed", "9")
    try host("sample", run.url.path, "--per-class", "3", "--seed", "10")
    try host("reconstruct", run.url.path, "--count", "4")
    let after = try contents(run.url)
    #expect(
      Set(after.keys).subtracting(before.keys)
        == Set(["samples-2", "samples-3", "reconstructions-2"].flatMap { ["figures/\($0).png", "figures/\($0).svg"] }))
    #expect(before.allSatisfy { after[$0.key] == $0.value || $0.key == ".latentkit-files" })
    #expect(after["figures/samples-2.png"] != after["figures/samples-3.png"])
    try host("sample", run.url.path, "--per-class", "3", "--seed", "9", "--overwrite")
    #expect(try Data(contentsOf: run.figure("samples.png")) == after["figures/samples-2.png"])
  }

  @Test func aThousandDrawsOfEachClassAreWrittenAndAsManyDrawnAsFit() throws {
    let scratch = try Scratch()
    let run = try train(scratch, "--per-class", "1000", "--set", "data.pad=2", "--set", "data.range=symmetric")
    let picture = try Picture(contentsOf: run.figure("samples.png"))
    #expect(picture.width < 3000 && picture.height < 6000)
    let files = SampleFormat.allCases.map { scratch.url.appendingPathComponent("draws.\($0.rawValue)") }
    for file in files {
      let count = file.pathExtension == "csv" ? "3" : "1000"
      let printed = try host("sample", run.url.path, "--per-class", count, "--samples", file.path)
      #expect(printed.output.contains("draws."))
    }
    let drawn = try Run(opening: run.url, catalog: Catalog(plugins)).sample(perClass: 1000)
    let made = try #require(drawn.images)
    // Without the padding, and −1 to 1 as 0 to 1.
    let inner = try (made.slice(2..<30, axis: 2).slice(2..<30, axis: 3) + 1) / 2
    let stored = try Safetensors.read(files[2]).tensors
    #expect(Set(stored.keys) == ["latents", "decoded", "labels"])
    #expect(try stored["latents"]?.bytes() == drawn.draw.latents.bytes())
    #expect(try stored["labels"]?.ints() == (0..<10_000).map { $0 / 1000 })
    #expect(stored["decoded"]?.shape == [10_000, 1, 28, 28])
    #expect(try (#require(stored["decoded"]) - inner).abs().max().item() < 1e-6)

    let archive = try NumpyArchive(Data(contentsOf: files[0]), path: files[0].path)
    #expect(archive.names == ["latents", "decoded", "labels"])
    for name in archive.names {
      let array = try archive.array(name)
      #expect(array.shape == stored[name]?.shape, "\(name)")
    }
    let lines = try String(contentsOf: files[1], encoding: .utf8).split(whereSeparator: \.isNewline)
    let few = try Run(opening: run.url, catalog: Catalog(plugins)).sample(perClass: 3)
    #expect(lines.count == 31 && lines[0].hasPrefix("latent 1,latent 2,") && lines[0].hasSuffix(",pixel 784,label"))
    let size = few.draw.latents.shape[1]
    let row = lines[14].split(separator: ",")
    #expect(try row.prefix(size).map { Float($0) } == few.draw.latents.select(13).floats())
    #expect(row.count == size + 784 + 1 && row.last == "4")
  }

  @Test func aRunWithoutADecoderIsAskedForItsLatentsBeforeItDraws() throws {
    let scratch = try Scratch()
    let run = try train(scratch, "--decoder", "none", "--loss", "centroid", "--metric", "nearest-class-mean")
    #expect(message("sample", run.url.path).contains("has no decoder, so there is nothing to show"))
    let file = scratch.url.appendingPathComponent("x.npz")
    try host("sample", run.url.path, "--samples", file.path)
    #expect(try NumpyArchive(Data(contentsOf: file), path: file.path).names == ["latents", "labels"])
  }

  @Test(arguments: ["..", "-x", "a/b", "a\u{1B}[2J", String(repeating: "n", count: 200)])
  func namesOfRunsAreCheckedFirst(name: String) throws {
    let scratch = try Scratch()
    let found = message("compose", "--encoder", "mlp", "--runs", "\(scratch.path)/runs", "--name=\(name)")
    #expect(found.contains("expected the name of one folder"), "\(found)")
    // The recipe's file as well.
    let recipe = try scratch.write(
      "name: ../../escaped\ndata: {use: mnist, with: {embedded: true}}\nencoder: mlp\nprior: pedcc", to: "r.yaml")
    let table = try scratch.write("rows: [{row: one, recipe: r.yaml}]", to: "t.yaml")
    for command in [["train", recipe], ["reproduce", table]] {
      #expect(message(command + ["--runs", "\(scratch.path)/a/b/runs"]).contains("which has a '/'"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).sorted() == ["r.yaml", "t.yaml"])
  }

  @Test func labelsThatWouldSteerATerminalAreShown() throws {
    let scratch = try Scratch()
    let rows = (0..<60).map { "\($0),\($0 % 7),\($0 % 2 == 0 ? "a\u{1B}[2J" : "b\u{9B}1m")" }
    let table = try scratch.write((["x,y\u{1B}]0;z\u{7},label"] + rows).joined(separator: "\n"), to: "t.csv")
    let printed = try host(
      "train", "--encoder", "mlp", "--data", "table", "--set", "data.path=\(table)", "--epochs", "1", "--runs",
      scratch.path, "--name", "t")
    #expect(printed.output.contains("a\\u{1B}[2J") && printed.output.contains("y\\u{1B}]0;z\\u{7}"))
    let text = printed.output + printed.errors
    #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7F...0x9F).contains($0.value) })
  }
}
