import Foundation
import Testing

/// What the templates make, built and run as a user would.
@Suite struct Instances {
  /// A plugin with every slot and one with a loss alone, in a copy of this checkout.
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["LATENTKIT_CAMPAIGN"] == "full",
      "it takes minutes; 'make campaign' runs it"))
  func newPluginsAreBuiltTestedAndTrained() throws {
    let scratch = try Scratch()
    let (status, text) = try run("plugin.sh", in: scratch)
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
  }

  /// A package that depends on a tagged clone of this checkout by version, its own program in an empty environment, and a second
  /// plugin in it. All of LatentKit is built anew.
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["LATENTKIT_CAMPAIGN"] == "full",
      "it takes minutes; 'make campaign' runs it"))
  func aNewPackageIsBuiltTestedAndRun() throws {
    let scratch = try Scratch()
    let (status, text) = try run("package.sh", in: scratch)
    try #require(status == 0, "\(text.suffix(6000))")
    for fact in [
      "needs   LatentKit 0.1.0", "pedcc", "loss mse + 0.001 rings", "plugin  \(scratch.path)/Rings/Plugins/Other",
    ] {
      #expect(text.contains(fact), "\(fact)\n\(text)")
    }
    for run in ["rings", "mixed"] {
      #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/Rings/runs/\(run)/summary.json"))
    }
  }
}
