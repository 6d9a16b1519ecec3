import Foundation
import LatentKit
import Recipes
import Testing

/// The recipes of the decision about the schema are the schema's first users.
@Suite struct Schema {
  private func papers() throws -> [Recipe] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appendingPathComponent("Docs/Decisions/0001-training-schema.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    return try blocks.enumerated().map { try Recipe.read(yaml: $1, file: "block \($0 + 1) of 0001-training-schema.md") }
  }

  @Test func allFivePapersAreThere() throws {
    #expect(
      try papers().map(\.name) == [
        "csae-l", "sparse-sae", "intra-class-variance", "adversarial-two-step-vae", "vae-downstream",
      ])
  }

  @Test func theyComeBackFromYAML() throws {
    for paper in try papers() { #expect(try recipe(paper.yaml()) == paper) }
  }

  @Test func theySayWhatThePapersDo() throws {
    let papers = try papers()
    #expect(papers[0].stages?[0].steps[0].losses.map(\.weight) == [1, 1, 0.02])
    #expect(
      papers[1].stages?[0].then == [
        .project(PartChoice("l11-ball", with: ["radius": 1000]), parameters: ["encoder", "decoder"]), .mask, .rewind,
      ])
    #expect(papers[2][.encoder]?.with["latent"] == 2)
    #expect(papers[2][.decoder] == PartChoice("none"))
    #expect(papers[3].stages?[1].steps.map(\.repeat) == [5, 1])
    #expect(papers[3].stages?[1].steps.map(\.train) == [["discriminator"], ["decoder"]])
    #expect(papers[4].stages?[1].examples == 100)
    #expect(papers[4].stages?[1].steps[0].train == ["classifier"])
  }
}
