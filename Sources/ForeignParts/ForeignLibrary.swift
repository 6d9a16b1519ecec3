import CForeign
import Files
import Foundation
import LatentKit
import Recipes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A shared library in any language, loaded by its manifest, with the parts that it makes.
///
///     let catalog = try Catalog(plugins).adding(foreign: ["./laplace.yaml"])
///
/// Loading runs the library's code in this process: load what you trust. It stays loaded until the program ends.
public struct ForeignLibrary: Sendable {
  /// What the manifest says.
  public let manifest: ForeignManifest
  /// The manifest's path with the SHA-256 over the manifest and the library's file.
  public let origin: ForeignOrigin
  /// Its parts.
  public let contributions: [Contribution]

  /// Loads the library of a manifest, finds its functions and makes its parts.
  ///
  /// - Throws: `RecipeFileError` for a manifest that is wrong or does not match the library, a missing library and a missing
  ///   function; `FileError` for what is no file.
  public init(_ path: String) throws { try self.init(ForeignManifest(path)) }

  private init(_ manifest: ForeignManifest) throws {
    self.manifest = manifest
    let url = URL(fileURLWithPath: manifest.path)
    let digest = try Checksum(.sha256, of: url).digits
    // What is loaded by its path is known before any of its code runs; what the system finds, only afterwards.
    var file: URL?
    if manifest.library.contains("/") {
      let named = URL(fileURLWithPath: manifest.library, relativeTo: url.deletingLastPathComponent().absoluteURL)
      guard FileManager.default.fileExists(atPath: named.path) else {
        throw manifest.error("library", "there is no file \(named.path); build it, or name another")
      }
      try OutputPlace.requireReadable(named)
      file = named
    }
    let library = try file.map { try Checksum(.sha256, of: $0).digits }
    guard let handle = cf_open("'\(manifest.library)', while it was loaded,", file?.path ?? manifest.library) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason is given"
      throw manifest.error(
        "library",
        "'\(manifest.library)' cannot be loaded: \(reason)"
          + (file == nil ? "; install it, or write a path, as in ./\(manifest.library)" : ""))
    }
    func address(_ symbol: String, _ place: String) throws -> UnsafeMutableRawPointer {
      guard let address = dlsym(handle, symbol) else {
        throw manifest.error(
          place, "'\(manifest.library)' has no function '\(symbol)'; check its name (C++ needs extern \"C\")")
      }
      return address
    }
    let setup = try manifest.setup.enumerated().map { try address($1, "setup[\($0)]") }
    var functions: [[Role: ForeignFunction]] = []
    for part in manifest.parts {
      functions.append(
        try part.functions.mapValues { declaration in
          do {
            return try ForeignFunction(
              declaration, at: address(declaration.symbol, "\(declaration.path).call"), of: manifest.library)
          } catch let error as RecipeError { throw manifest.error(declaration.path, "\(error)") }
        })
    }
    let found = try library ?? Checksum(.sha256, of: Self.file(of: functions, in: manifest)).digits
    origin = ForeignOrigin(manifest.path, checksum: try Checksum(.sha256, of: Data("\(digest) \(found)\n".utf8)).digits)
    for (symbol, function) in zip(manifest.setup, setup) {
      try catchingExceptions(of: "'\(symbol)' of \(manifest.library)") { cf_run($0, function, $1, $2) }
    }
    contributions = try zip(manifest.parts, functions).map { part, functions in
      try Self.contribution(part, functions, of: manifest)
    }
  }

  /// The file in which the system found the functions.
  private static func file(of functions: [[Role: ForeignFunction]], in manifest: ForeignManifest) throws -> URL {
    guard let function = functions.first?.values.first, let name = cf_file_of(function.address)
    else { throw manifest.error("library", "the file of '\(manifest.library)' is not known; write its path") }
    return URL(fileURLWithPath: String(cString: name))
  }

  private static func contribution(
    _ part: ForeignManifest.PartDeclaration, _ functions: [Role: ForeignFunction], of manifest: ForeignManifest
  ) throws -> Contribution {
    func function(_ role: Role) throws -> ForeignFunction {
      guard let function = functions[role] else {
        throw manifest.error(part.path, "\(part.slot.name) '\(part.name)' lacks a function")
      }
      return function
    }
    func entry<Made>(_ make: @escaping @Sendable (SettingValues, BuildContext) throws -> Made) -> Entry<Made> {
      Entry(part.name, part.summary, settings: part.settings, with: part.companions, make: make)
    }
    switch part.slot {
    case .prior:
      let (density, draw) = (try function(.density), functions[.priorDraw])
      let isNormalized = part.isNormalized
      return Contribution(
        .prior, entry { try ForeignPrior.make(density, draw, isNormalized: isNormalized, $0, $1) })
    case .sampler:
      let draw = try function(.draw)
      // What sees training latents and no density cannot follow one.
      let isEstimate = draw.signature.takes("references") && !draw.signature.takes("log-density")
      return Contribution(
        .sampler,
        Entry(
          part.name, part.summary, settings: part.settings, with: part.companions,
          of: isEstimate ? ForeignEstimatingSampler.self : ForeignSampler.self
        ) { values, context -> any Sampler in
          let sampler = try ForeignSampler(draw, values, context)
          return isEstimate ? ForeignEstimatingSampler(sampler: sampler) : sampler
        })
    case .loss:
      let (name, terms) = (part.name, try function(.terms))
      return Contribution(.loss, entry { try ForeignLoss(name, terms, $0, $1) as any Loss })
    default:
      let data = try ForeignData(name: part.name, title: part.summary, size: function(.size), read: function(.read))
      return .data(data.entry(part))
    }
  }
}

extension Catalog {
  /// Returns the catalog with the parts of libraries in other languages.
  ///
  /// - Parameter manifests: Their manifests, as paths from the working directory or absolute ones.
  /// - Throws: As `ForeignLibrary.init`; `CatalogError` for a part whose name is taken.
  public func adding(foreign manifests: [String]) throws -> Catalog {
    try unique(manifests).reduce(self) { catalog, path in
      let library = try ForeignLibrary(path)
      let name = URL(fileURLWithPath: path).lastPathComponent
      return try catalog.adding(library.contributions, from: name, origin: library.origin)
    }
  }
}
