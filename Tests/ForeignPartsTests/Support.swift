import Files
import Foundation
import LatentKit

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@testable import ForeignParts

let fixtures = Bundle.module.resourceURL!.appendingPathComponent("Fixtures")

/// Whether the GNU Scientific Library is here: `Scripts/bootstrap --dev` gets it.
let hasGSL = dlopen("libgsl.so", RTLD_LAZY) != nil

/// A folder with manifests and libraries, which is removed when its test is over.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "latentkit-foreign-\(UUID().uuidString)-whose-path-is-longer-than-what-messages-shorten-elsewhere")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Builds a library of the fixtures, `libNAME.so`.
  func build(_ source: String) throws {
    let file = fixtures.appendingPathComponent(source)
    let name = file.deletingPathExtension().lastPathComponent
    let compiler = file.pathExtension == "c" ? "cc" : "c++"
    let result = try Command(compiler, ["-O2", "-fPIC", "-shared", file.path, "-o", path("lib\(name).so"), "-lm"]).run()
    guard result.status == 0 else { throw CommandError(result.messages) }
  }

  /// Writes a manifest, and returns its path.
  @discardableResult
  func write(_ text: String, to name: String = "parts.yaml") throws -> String {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  /// Builds an example of the fixtures with its manifest, and returns that manifest's path.
  func example(_ source: String) throws -> String {
    try build(source)
    let name = source.prefix { $0 != "." } + ".yaml"
    try FileManager.default.copyItem(
      at: fixtures.appendingPathComponent(String(name)), to: URL(fileURLWithPath: path(String(name))))
    return path(String(name))
  }

  /// A catalog with one part of `hostile.cpp`, whose manifest goes on as given.
  func hostile(_ part: String) throws -> Catalog {
    if !FileManager.default.fileExists(atPath: path("libhostile.so")) { try build("hostile.cpp") }
    return try Catalog([]).adding(foreign: [write("library: ./libhostile.so\nparts:\n" + part)])
  }
}

/// What the error of `body` says, without the folder's path.
func problem(in scratch: Scratch, _ body: () throws -> Void) -> String {
  do { try body() } catch { return "\(error)".replacing(scratch.url.path + "/", with: "") }
  return "nothing thrown"
}

func context(latent: Int = 2, classes: Int? = nil, dtype: DType = .float64, title: String = "part") throws
  -> BuildContext
{
  BuildContext(
    inputShape: [6], classCount: classes, latentSize: latent, scope: try Scope(path: "part", seed: 1, dtype: dtype),
    title: title)
}

extension Catalog {
  func prior(
    _ name: String, _ settings: [String: Value] = [:], latent: Int = 2, classes: Int? = nil
  ) throws -> any Prior {
    try self[.prior][name].make(
      settings, at: "prior.with", in: context(latent: latent, classes: classes, title: "prior '\(name)'"))
  }

  func sampler(_ name: String, _ settings: [String: Value] = [:], latent: Int = 2) throws -> any Sampler {
    try self[.sampler][name].make(settings, at: "sampler.with", in: context(latent: latent, title: "sampler '\(name)'"))
  }
}

/// A unit Gaussian, at (3 y, 0, …) for the class y where it is asked about one.
struct Normal: Prior {
  var knowsClasses = false

  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    var squares = try latents.square().sum(axis: 1)
    if knowsClasses, let labels {
      let first = try latents.select(0, axis: 1)
      squares = try squares - first.square() + (first - labels.to(latents.dtype) * 3).square()
    }
    return try squares * -0.5 - 0.5 * Double(latents.size(1)) * log(2 * Double.pi)
  }
}
