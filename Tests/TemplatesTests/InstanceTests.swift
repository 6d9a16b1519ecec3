import Files
import Foundation
import Testing

/// Where an instance is built.
enum Way: String, CaseIterable {
  /// In this checkout under an overlay, beside what was built: seconds.
  case reusing
  /// In a copy, with all of LatentKit: minutes.
  case fromNothing

  static let possible = allCases.filter(\.isPossible)

  private var isPossible: Bool {
    switch self {
    case .reusing: (try? Scratch()).map { Way.mayMount(in: $0) } ?? false
    case .fromNothing: ProcessInfo.processInfo.environment["LATENTKIT_CAMPAIGN"] == "full"
    }
  }

  private static func mayMount(in scratch: Scratch) -> Bool {
    (try? TemplatesTests.run("overlay.sh", in: scratch, "true"))?.status == 0
  }
}

/// What the templates make, built and run as a user would.
@Suite(
  .serialized,
  .enabled(if: !Way.possible.isEmpty, "no overlay can be mounted here; 'make campaign' builds from nothing"))
struct Instances {
  /// A plugin with every slot and one with a loss alone.
  @Test(arguments: Way.possible) func newPluginsAreBuiltTestedAndTrained(way: Way) throws {
    let scratch = try Scratch()
    let (status, text) = try run("plugin.sh", in: scratch, way.rawValue)
    try #require(status == 0, "\(text.suffix(6000))")
    for fact in [
      "parts   data 'sparse', encoder 'sparse', prior 'sparse', decoder 'sparse', classifier 'sparse'",
      "parts   loss 'solo'", "SparseSAE, ", ", Sparse, Solo: ", "loss mse + 0.001 sparse", "small latents",
    ] { #expect(text.contains(fact), "\(fact)\n\(text)") }
    // One for each slot at least, and that the catalog takes the plugin.
    let passed = text.firstMatch(of: /Test run with (\d+) tests.* passed/).flatMap { Int($0.1) }
    #expect(passed.map { $0 >= 12 } == true)
    for run in ["sparse", "solo", "rings"] {
      #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/runs/\(run)/summary.json"))
    }
    expectUntouched()
  }

  /// A package that depends on this checkout, or on a tagged clone of it by version; its own program in an empty environment, and
  /// a second plugin in it.
  @Test(arguments: Way.possible) func aNewPackageIsBuiltTestedAndRun(way: Way) throws {
    let scratch = try Scratch()
    let (status, text) = try run("package.sh", in: scratch, way.rawValue)
    try #require(status == 0, "\(text.suffix(6000))")
    for fact in [
      "needs   LatentKit 0.1.0", "pedcc", "loss mse + 0.001 rings", "plugin  \(scratch.path)/Rings/Plugins/Other",
    ] {
      #expect(text.contains(fact), "\(fact)\n\(text)")
    }
    for run in ["rings", "mixed"] {
      #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/Rings/runs/\(run)/summary.json"))
    }
    expectUntouched()
  }

  /// Nothing of an instance is left in the checkout.
  private func expectUntouched() {
    for name in ["Plugins/Sparse", "Plugins/Solo", ".build/debug/rings-host"] {
      #expect(!FileManager.default.fileExists(atPath: packageRoot.appendingPathComponent(name).path), "\(name)")
    }
  }
}
