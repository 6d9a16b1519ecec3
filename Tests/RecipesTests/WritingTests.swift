import Foundation
import LatentKit
import Recipes
import Testing

@Suite struct Writing {
  @Test func readsAsAPersonWouldWriteIt() throws {
    var written = Recipe()
    written.name = "csae-l"
    written.about = "Table 2, β = 0.04"
    written[.encoder] = PartChoice("mlp", with: ["latent": 40, "hidden": [400]])
    written[.decoder] = PartChoice("none")
    written[all: .metric] = []
    written.stages = [
      Recipe.Stage(
        epochs: 200,
        steps: [
          Recipe.Step(
            train: ["encoder"], losses: [PartChoice("centroid"), PartChoice("sobel", weight: 0.02)],
            optimizer: PartChoice("adam", with: ["learningRate": 1e-5]))
        ], then: [.project(PartChoice("l11-ball"), parameters: []), .mask])
    ]
    #expect(
      written.yaml() == """
        name: csae-l
        about: "Table 2, β = 0.04"
        seed: 0
        encoder: {use: mlp, with: {hidden: [400], latent: 40}}
        decoder: none
        metrics: []
        stages:
          - name: main
            epochs: 200
            batch: 128
            train: [encoder]
            losses: [centroid, {use: sobel, weight: 0.02}]
            optimizer: {use: adam, with: {learningRate: 1e-05}}
            then: [{project: l11-ball}, mask]

        """)
  }

  @Test(arguments: [
    "", " ", "yes", "No", "null", "~", "true", "1", "1e-3", ".5", "-", "- a", "a: b", "a #b", "#", "'", "\"", "\\",
    "a\nb",
    "tab\there", "end ", " start", "[a]", "{a}", "&a", "*a", "!a", "%a", "@a", "`a`", "?", "a,b", "é", "日本語", "🙂",
    "\u{7}",
    "\u{85}\u{2028}\u{feff}", "\u{ffff}", "---", "...", "<<", "a  b", "=", "12:30", "2001-01-01", ".inf", "\r\n",
    String(repeating: "long ", count: 300) + "x",
  ])
  func everyTextComesBack(text: String) throws {
    var written = Recipe()
    written.about = text
    written[.encoder] = PartChoice("mlp", with: ["x": .string(text), "list": [.string(text), .string(text)]])
    // YAML itself ends keys after 1024 characters.
    written[.prior] = PartChoice("pedcc", with: [String(text.prefix(100)): 1])
    let read = try recipe(written.yaml())
    #expect(read == written)
    // Swift compares text by meaning; the scalars have to be the same too.
    #expect(read.about.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
  }

  @Test func everyNumberComesBackToTheLastBit() throws {
    var state: UInt64 = 1
    var numbers: [Double] = [
      0, -0.0, 1, 0.1, 1e-3, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3, 1e16, 123456789, .infinity,
    ]
    while numbers.count < 1000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let number = Double(bitPattern: state)
      if number.isFinite { numbers.append(number) }
    }
    var written = Recipe()
    written[.encoder] = PartChoice("mlp", with: ["x": .array(numbers.map(Value.double))])
    guard case .array(let values)? = try recipe(written.yaml())[.encoder]?.with["x"] else {
      Issue.record("the list is gone")
      return
    }
    let bits = values.map { if case .double(let value) = $0 { value.bitPattern } else { UInt64.max } }
    #expect(bits == numbers.map(\.bitPattern))
  }

  @Test func recipesOfAllShapesComeBack() throws {
    var random = Draws(state: 7)
    for _ in 0..<300 {
      let written = random.recipe()
      let yaml = written.yaml()
      let read = try recipe(yaml)
      #expect(read == written, "\(yaml)")
      #expect(read.yaml() == yaml)
    }
  }
}

/// A seeded source of recipes.
private struct Draws {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }

  mutating func maybe<Result>(_ make: (inout Draws) -> Result) -> Result? { below(2) == 0 ? make(&self) : nil }
  mutating func some<Result>(_ most: Int, _ make: (inout Draws) -> Result) -> [Result] {
    var results: [Result] = []
    for _ in 0..<below(most + 1) { results.append(make(&self)) }
    return results
  }

  mutating func value(_ depth: Int = 0) -> Value {
    switch below(depth < 3 ? 8 : 6) {
    case 0: return .null
    case 1: return .bool(below(2) == 0)
    case 2: return .int(below(2000) - 1000)
    case 3: return .double(Double(below(1 << 30)) / 1e5)
    case 4, 5: return .string(["relu", "yes", "a: b", "1e-3", "two words", ""][below(6)])
    case 6: return .array(some(12) { $0.value(depth + 1) })
    default: return .object(settings(depth + 1))
    }
  }

  mutating func settings(_ depth: Int = 0) -> [String: Value] {
    let names = ["latent", "hidden", "activation", "rate", "yes", "7", "with", "use"]
    let chosen = some(5) { ($0.below(names.count), $0.value(depth)) }
    return Dictionary(chosen.map { (names[$0.0], $0.1) }) { _, last in last }
  }

  mutating func part(isLoss: Bool = false) -> PartChoice {
    let weights = [1, 0.02, 0, -1, 1e-7]
    return PartChoice(
      ["mlp", "l11-ball", "no", "a b"][below(4)], with: settings(), weight: isLoss ? weights[below(5)] : 1)
  }

  mutating func recipe() -> Recipe {
    var recipe = Recipe()
    recipe.name = maybe { ["a", "on", "x: y"][$0.below(3)] }
    recipe.about = maybe { _ in "Table 2, 100 %" }
    recipe.seed = below(100)
    recipe[.data] = maybe { $0.part() }
    recipe[.encoder] = maybe { $0.part() }
    recipe[.decoder] = maybe { $0.below(2) == 0 ? PartChoice("none") : $0.part() }
    recipe[.classifier] = maybe { $0.part() }
    recipe[.discriminator] = maybe { $0.part() }
    recipe[.prior] = maybe { $0.part() }
    recipe[.noise] = maybe { $0.part() }
    recipe[.sampler] = maybe { $0.part() }
    recipe[all: .metric] = maybe { draws in draws.some(2) { $0.part() } }
    recipe.stages = maybe { draws in
      var stages = draws.some(3) { $0.stage() }
      for index in stages.indices { stages[index].name = "s\(index)" }
      return stages
    }
    return recipe
  }

  mutating func stage() -> Recipe.Stage {
    Recipe.Stage(
      epochs: 1 + below(9), batch: 1 + below(300), examples: maybe { 1 + $0.below(9) }, steps: some(3) { $0.step() },
      then: some(3) { draws in
        switch draws.below(3) {
        case 0: .mask
        case 1: .rewind
        default: .project(draws.part(), parameters: draws.some(2) { ["encoder", "decoder.a", "yes"][$0.below(3)] })
        }
      })
  }

  mutating func step() -> Recipe.Step {
    Recipe.Step(
      train: below(4) == 0 ? [] : ["encoder", "decoder"], repeat: 1 + below(3),
      losses: some(3) { $0.part(isLoss: true) },
      optimizer: maybe { $0.part() }, schedule: maybe { $0.part() }, clip: maybe { 0.1 + Double($0.below(5)) })
  }
}

@Suite struct WrittenOrigins {
  @Test func whatIsKeptOfForeignPartsIsReadBack() throws {
    let checksum = String(repeating: "0a", count: 32)
    let text = """
      data: {use: points, foreign: ./points.yaml, checksum: \(checksum)}
      encoder: tiny
      prior: {use: laplace, with: {scale: 2}, foreign: ./laplace.yaml, checksum: \(checksum)}
      sampler: {use: walkers, foreign: walkers.yaml}
      stages: [{steps: [{repeat: 2, steps: [{losses: [{use: log-cosh, foreign: ./l.yaml, weight: 0.5}]}]}]}]
      """
    let recipe = try Recipe.read(yaml: text, file: "test.yaml")
    #expect(recipe[.prior]?.foreign == ForeignOrigin("./laplace.yaml", checksum: checksum))
    #expect(recipe[.sampler]?.foreign == ForeignOrigin("walkers.yaml"))
    #expect(recipe.foreignManifests == ["./points.yaml", "./laplace.yaml", "walkers.yaml", "./l.yaml"])
    #expect(try Recipe.read(yaml: recipe.yaml(), file: "again.yaml") == recipe)
    // Another part in its place is not of that library; the same one is.
    var other = recipe
    try other.apply(choice: .prior, "tiny")
    #expect(other[.prior]?.foreign == nil)
    try other.set("sampler=walkers")
    #expect(other[.sampler]?.foreign == ForeignOrigin("walkers.yaml"))
    other.use(data: "mnist")
    #expect(other[.data]?.foreign == nil)
  }
}
