import Foundation
import LatentKit
import Recipes
import Testing

/// The recipes of ADR 1, one for each paper, with the parts of the plugins.
@Suite struct RecipesOfTheSchema {
  private func recipes() throws -> [Recipe] {
    let page = try String(
      contentsOf: packageRoot.appendingPathComponent("Docs/Decisions/0001-training-schema.md"), encoding: .utf8)
    let blocks = page.matches(of: /```yaml\n(name:[\s\S]*?)```/).map { String($0.1) }
    return try blocks.map { try Recipe.read(yaml: $0, file: "0001-training-schema.md") }
  }

  @Test func theyPassTheDryRun() throws {
    let composer = Composer(try Catalog(plugins))
    var checked: [String] = []
    for recipe in try recipes() {
      let full = try composer.resolve(recipe)
      #expect(try composer.resolve(full) == full)
      #expect(try Recipe.read(yaml: full.yaml(), file: "resolved") == full)
      let isTable = full[.data]?.use == "olsson"
      var padding = 0
      if case .int(let pad)? = full[.data]?.with["pad"] { padding = pad }
      // An encoder that halves images brings the multiple that their sides need.
      if padding == 0, case .int(let multiple)? = full[.data]?.with["padTo"] {
        padding = ((28 + multiple - 1) / multiple * multiple - 28) / 2
      }
      let side = 28 + 2 * padding
      try composer.dryRun(
        full,
        for: DataShape(
          title: "data", inputShape: isTable ? [532] : [1, side, side], inputRange: isTable ? nil : 0...1,
          padding: padding, classCount: isTable ? 9 : 10))
      checked.append(full.name ?? "")
    }
    #expect(
      Set(checked) == [
        "csae-l", "sparse-sae", "intra-class-variance", "adversarial-two-step-vae", "vae-downstream",
      ])
  }
}
