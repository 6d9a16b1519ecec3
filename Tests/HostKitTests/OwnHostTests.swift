import Foundation
import LatentKit
import Testing

@testable import HostKit

/// What Docs/own-host.md shows.
@Suite struct OwnHost {
  @Test func thePagesPluginIsTheOneThatIsCompiledHere() throws {
    let page = try String(contentsOf: packageRoot.appendingPathComponent("Docs/own-host.md"), encoding: .utf8)
    let file = packageRoot.appendingPathComponent("Tests/HostKitTests/RingPlugin.swift")
    #expect(page.contains("```swift\n\(try String(contentsOf: file, encoding: .utf8))```"))
  }

  @Test func itsPartsAreListedComposedAndTrained() throws {
    let (scratch, printed) = (try Scratch(), Printed())
    let host = try Host(plugins: plugins + [RingPlugin.self], console: printed.console)
    try host.run(["list", "loss", "ring"])
    #expect(printed.output.contains("Doe (2026): Latents on a Ring") && printed.output.contains("[above 0]"))
    try host.run([
      "train", "--encoder", "mlp", "--prior", "pedcc", "--loss", "mse", "--loss", "ring=0.1", "--set", "data.limit=100",
      "--set", "encoder.hidden=[8]", "--set", "losses.ring.radius=2", "--epochs", "1", "--runs", scratch.path, "--name",
      "run",
    ])
    #expect(printed.output.contains("loss mse + 0.1 ring"))
    #expect(try scratch.read("run/recipe.yaml").contains("radius: 2"))
  }

  @Test func theRingIsTheDistanceFromItsSphere() throws {
    let context = BuildContext(inputShape: [1], latentSize: 2, scope: try Scope(path: "loss"))
    let loss = try Catalog([RingPlugin.self])[.loss]["ring"].make(["radius": 2], at: "losses", in: context)
    struct Identity: Encoder {
      let latentSize = 2
      func encode(_ batch: Batch) -> Code { .point(batch.inputs) }
    }
    struct Flat: Prior {
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
    }
    let rows: [[Double]] = [[3, 4], [0, 1], [-2, 0]]
    let batch = Batch(inputs: try Tensor(rows.flatMap { $0 }, shape: [3, 2]), labels: nil)
    let forward = Forward(
      batch, through: Model(encoder: Identity(), prior: Flat()), training: true,
      drawing: RandomSource(try Generator(seed: 1)))
    let values = try loss.terms(forward, under: Flat())[0].values().doubles()
    for (row, value) in zip(rows, values) {
      let norm = (row[0] * row[0] + row[1] * row[1]).squareRoot()
      #expect(abs(value - (norm - 2) * (norm - 2)) < 1e-9)
    }
  }
}
