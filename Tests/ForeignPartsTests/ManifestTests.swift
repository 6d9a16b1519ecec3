import Files
import Foundation
import LatentKit
import Testing

@testable import ForeignParts

/// Manifests that are wrong, or do not match their library.
@Suite struct Manifests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private static let laplace = """
    library: ./liblaplace.so
    parts:
      - prior: laplace
        summary: Laplace densities
        settings: {scale: {default: 1.0, help: the scale, above: 0}}
        density:
          call: laplace_log_density
          takes: [latents: double*, rows: int64_t, latent: int64_t, scale: double, log-densities: double*, gradients: double*]

    """

  /// The refusal of the manifest above with one text in the place of another.
  private func refusal(_ old: String, _ new: String) throws -> String {
    try #require(Self.laplace.contains(old))
    try scratch.build("laplace.c")
    let path = try scratch.write(Self.laplace.replacing(old, with: new))
    return problem(in: scratch) { _ = try Catalog([]).adding(foreign: [path]) }
  }

  @Test func aManifestThatFitsIsLoaded() throws {
    try scratch.build("laplace.c")
    let path = try scratch.write(Self.laplace)
    let library = try ForeignLibrary(path)
    #expect(library.contributions.map(\.slot) == [.prior])
    #expect(library.manifest.names(in: .prior) == ["laplace"] && library.manifest.names(in: .loss).isEmpty)
    #expect(library.origin.manifest == path && library.origin.checksum?.count == 64)
    let description = try Catalog([]).adding(foreign: [path, path]).description(of: .prior, "laplace")
    #expect(description.plugin == "parts.yaml" && description.foreign == library.origin)
    #expect(description.settings.map(\.name) == ["scale"] && description.settings[0].allowed == "above 0")
  }

  @Test(arguments: [
    (
      "./liblaplace.so", "./libother.so",
      "parts.yaml:1:10: library: there is no file libother.so; build it, or name another"
    ),
    (
      "laplace_log_density", "laplace_density",
      "parts.yaml:7:13: parts[0].density.call: './liblaplace.so' has no function 'laplace_density'; check its name (C++ needs extern \"C\")"
    ),
    (
      "latents: double*", "latents: double**",
      "parts[0].density.takes[0].latents: there is no type 'double**'"
    ),
    ("latents: double*", "latents: real*", "parts[0].density.takes[0].latents: there is no type 'real*'"),
    (
      "latents: double*", "latents: int64_t*",
      "parts[0].density.takes[0].latents: found int64_t* for 'latents', expected float* or double*"
    ),
    (
      "rows: int64_t", "rows: double",
      "parts[0].density.takes[1].rows: found double for 'rows', expected a whole number, as int or int64_t"
    ),
    (
      "rows: int64_t", "row: int64_t",
      "parts[0].density.takes[1]: there is no parameter or setting 'row'"
    ),
    (
      "rows: int64_t", "rows: int64_t, rows: int64_t", "parts[0].density.takes[2]: 'rows' is taken twice"
    ),
    (
      "log-densities: double*, ", "",
      "parts[0].density: 'laplace_log_density' does not fit: it says no density; let it return 'log-density', or take 'log-densities' to fill"
    ),
    (
      "latents: double*, ", "",
      "parts[0].density: 'laplace_log_density' does not fit: it takes neither 'latents' nor 'value'; take 'latents', or 'value' for a function of one number"
    ),
    (
      "gradients: double*]", "gradients: double*]\n      returns: {log-density: double}",
      "parts[0].density: 'laplace_log_density' does not fit: it returns 'log-density' and fills 'log-densities' too; leave one out"
    ),
    (
      "gradients: double*]", "gradients: double*]\n      returns: {count: int}",
      "parts[0].density.returns: there is no result 'count'; known: density, log-density, status"
    ),
    (
      "gradients: double*]", "gradients: double*]\n      returns: {status: double}",
      "parts[0].density.returns.status: found double for 'status', expected a whole number, as int or int64_t"
    ),
    ("scale: double, ", "", "parts[0].settings.scale: no function takes the setting 'scale'; take it, or leave it out"),
    (
      "scale: double, ", "scale: double*, ",
      "parts[0].density.takes[3].scale: found double* for 'scale', expected a number or char*, for a setting"
    ),
    (
      "default: 1.0", "default: wide",
      "parts[0].settings.scale: found the default 'wide', expected a number, as it is passed as double"
    ),
    (
      "default: 1.0, ", "",
      "parts[0].settings.scale: found the default nothing, expected a number, as it is passed as double"
    ),
    (", help: the scale", "", "parts[0].settings.scale: found no 'help', expected a help text"),
    ("above: 0", "over: 0", "parts[0].settings.scale: there is no key 'over'"),
    ("default: 1.0", "default: -1.0", "the default of its setting 'scale' is -1.0, outside its range above 0"),
    ("- prior: laplace", "- encoder: laplace", "parts[0]: found no slot, expected one of data, prior, sampler, loss"),
    (
      "- prior: laplace", "- prior: laplace\n    loss: laplace",
      "parts[0]: found 2 slots, expected one of data, prior, sampler, loss"
    ),
    ("    summary: Laplace densities\n", "", "parts[0]: found no 'summary', expected a line on what the part is"),
    ("parts:", "setup: [no_such_setup]\nparts:", "setup[0]: './liblaplace.so' has no function 'no_such_setup'"),
    (
      "library: ./liblaplace.so\n", "",
      "parts.yaml:1:1: found no 'library', expected the library, as in ./liblaplace.so"
    ),
    ("library: ./liblaplace.so", "library: [a]", "library: found ['a'], expected the library's file"),
    (
      "./liblaplace.so", "libno-such-library-anywhere.so",
      "library: 'libno-such-library-anywhere.so' cannot be loaded: "
    ),
    ("./liblaplace.so", "./parts.yaml", "library: './parts.yaml' cannot be loaded: "),
    ("summary: Laplace", "summary: \"Laplace\\n\"", "this is not YAML"),
  ]) func whatIsWrongIsSaidInASentence(old: String, new: String, sentence: String) throws {
    let found = try refusal(old, new)
    #expect(found.contains(sentence), "\(found)")
    #expect(!found.contains("\n"))
  }

  @Test func filesThatAreNoManifestsAreRefused() throws {
    #expect(
      problem(in: scratch) { _ = try ForeignManifest(scratch.path("none.yaml")) }
        == "none.yaml: cannot be read, expected a manifest file; check its name and folder")
    #expect(problem(in: scratch) { _ = try ForeignManifest(scratch.url.path) }.contains("is a folder, expected a file"))
    #expect(
      problem(in: scratch) { _ = try ForeignManifest(scratch.write("parts: []", to: "a.yaml")) }.contains(
        "found no 'library'"))
    #expect(
      problem(in: scratch) { _ = try ForeignManifest(scratch.write("library: a\nparts: []", to: "a.yaml")) }
        == "a.yaml:2:8: parts: found no parts, expected one or more")
    #expect(
      problem(in: scratch) { _ = try ForeignManifest(scratch.write("library: a\nparts: 7", to: "a.yaml")) }
        == "a.yaml:2:8: parts: found 7, expected a list of parts, as in '- prior: laplace'")
    #expect(
      problem(in: scratch) { _ = try ForeignManifest(scratch.write("[]", to: "a.yaml")) }
        .hasSuffix("found no keys, expected a manifest with 'library'"))
  }

  /// Signatures that fit no role, as the whole function of a part.
  @Test(arguments: [
    (
      "sampler", "draw: {call: f, takes: [draws: double*, count: int]}",
      "it takes no 'seed'; a function that draws takes"
    ),
    (
      "sampler", "draw: {call: f, takes: [draws: double*, count: int, seed: long, references: double*]}",
      "it takes 'references' and no 'reference-count'"
    ),
    (
      "sampler",
      "draw: {call: f, takes: [draws: double*, count: int, seed: long, log-density: {takes: [latents: double*]}]}",
      "'log-density' does not fit: it says no density"
    ),
    (
      "sampler", "draw: {call: f, takes: [draws: double*, count: int, seed: long, log-density: void*]}",
      "expected the signature of a function"
    ),
    (
      "loss", "terms: {call: f, takes: [latents: double*], returns: {loss: double}}",
      "it takes 'latents' and no 'latent-gradients'"
    ),
    (
      "loss", "terms: {call: f, takes: [inputs: double*], returns: {loss: double}}",
      "so that nothing would be trained by it"
    ),
    (
      "loss",
      "terms: {call: f, takes: [rows: int, latents: double*, latent-gradients: double*], returns: {loss: double}}",
      "it takes 'rows' and returns one number"
    ),
    (
      "prior", "density: {call: f, takes: [value: double, rows: int], returns: {density: double}}",
      "it takes 'rows' and returns one number"
    ),
    (
      "prior", "density: {call: f, takes: [value: double, labels: int*], returns: {density: double}}",
      "it takes 'labels' beside 'value'"
    ),
    (
      "data", "settings: {path: {help: a file}}\n    size: {call: f, takes: [path: char*]}",
      "parts[0].settings.path: 'path' is a setting that all data have; rename it"
    ),
    (
      "sampler", "draw: {call: f, takes: [draws: double*, count: int, seed: long, reference-count: int]}",
      "it takes 'reference-count' and no 'references'"
    ),
    (
      "prior",
      "density: {call: f, takes: [value: double], returns: {density: double}}\n    draw: {call: g, takes: [draws: double*, count: int, seed: long, labels: int64_t*]}",
      "'draw' takes 'labels', and 'density' does not depend on the class"
    ),
    ("prior", "draw: {call: f, takes: []}", "found no 'density', expected the function of prior 'x'"),
    (
      "data", "size: {call: f, takes: [count: int64_t*, features: int64_t*]}",
      "found no 'read', expected the function of data 'x'"
    ),
    (
      "data",
      "size: {call: f, takes: [count: int64_t*, height: int64_t*]}\n    read: {call: f, takes: [inputs: float*]}",
      "take 'features' for rows of numbers, or 'channels', 'height' and 'width' for images"
    ),
    (
      "data",
      "size: {call: f, takes: [count: int64_t*, features: int64_t*]}\n    read: {call: f, takes: [inputs: uint8_t*]}",
      "'read' fills 'inputs' of type uint8_t*, expected float* or double* for rows of numbers"
    ),
    (
      "data",
      "size: {call: f, takes: [count: int64_t*, features: int64_t*]}\n    read: {call: f, takes: [inputs: float*, labels: int64_t*]}",
      "'read' fills 'labels', and 'size' no 'classes'"
    ),
  ]) func signaturesThatFitNoRoleAreRefusedBeforeAnythingIsLoaded(slot: String, function: String, sentence: String)
    throws
  {
    let text = "library: libnone.so\nparts:\n  - \(slot): x\n    summary: a part\n    \(function)\n"
    let found = problem(in: scratch) { _ = try ForeignManifest(scratch.write(text)) }
    #expect(found.contains(sentence), "\(found)")
  }

  @Test func typesOfCAreReadAsCWritesThem() {
    let same: [(String, CType?)] = [
      ("const double *", .array(.double)), ("double*", .array(.double)), ("unsigned  int", .number(.uint32)),
      ("size_t", .number(.uint64)), ("const char*", .text), ("void *", .context), ("void", .void),
      ("double const * const", .array(.double)), ("double * *", nil), ("* double", nil), ("char", nil), ("", nil),
      ("const", nil),
    ]
    for (text, type) in same { #expect(CType(text) == type, "\(text)") }
  }

  @Test func aNameThatIsTakenIsRefused() throws {
    let path = try scratch.example("laplace.c")
    let catalog = try Catalog([]).adding(foreign: [path])
    try scratch.write(String(contentsOfFile: path, encoding: .utf8), to: "other.yaml")
    #expect(
      problem(in: scratch) { _ = try catalog.adding(foreign: [scratch.path("other.yaml")]) }
        == "plugins laplace.yaml and other.yaml both contribute prior 'laplace'; rename one of them")
  }

  @Test func theChecksumIsOfTheManifestAndOfTheLibrary() throws {
    let path = try scratch.example("laplace.c")
    let first = try ForeignLibrary(path).origin.checksum
    #expect(try ForeignLibrary(path).origin.checksum == first)
    let library = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.path("liblaplace.so")))
    try library.seekToEnd()
    try library.write(contentsOf: Data([0]))
    try library.close()
    let second = try ForeignLibrary(path).origin.checksum
    #expect(second != first)
    try scratch.write(String(contentsOfFile: path, encoding: .utf8) + "# more\n", to: "laplace.yaml")
    #expect(try ![first, second].contains(ForeignLibrary(path).origin.checksum))
  }

  @Test(.enabled(if: hasGSL)) func whatTheSystemFindsHasTheChecksumOfTheFileThatItFound() throws {
    let manifest = fixtures.appendingPathComponent("gsl.yaml")
    // As the linker has it in its configuration, wherever that is.
    let facts = try Command("ldconfig", ["-p"], searchPath: "/sbin:/usr/sbin").run()
    let line = String(decoding: facts.output, as: UTF8.self).split(separator: "\n").first { $0.contains("libgsl.so ") }
    let library = URL(fileURLWithPath: try String(#require(line?.split(separator: " ").last)))
    let digests = try [manifest, library].map { try Checksum(.sha256, of: $0).digits }.joined(separator: " ")
    let expected = try Checksum(.sha256, of: Data("\(digests)\n".utf8)).digits
    #expect(try ForeignLibrary(manifest.path).origin.checksum == expected)
  }
}
