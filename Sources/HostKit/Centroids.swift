import ArgumentParser
import Figures
import Foundation
import LatentKit
import Statistics
import Recipes

struct Centroids: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Place the class centroids of a prior, measure how evenly they are spread, and draw them.",
    discussion: """
        host centroids pedcc --classes 10,100 --dimensions 40
        host centroids pedcc --classes 2,4,10,20 --dimensions 3 --output spheres.png \\
          --set prior.method=charge --set prior.iterations=5000

      The energy is the sum of 1/distance over all pairs, on the unit sphere. Two and \
      three dimensions can be drawn: full points are on the near side, hollow ones on \
      the far side.
      """)

  @Argument(
    help: "A prior that places each class at a point; see 'host list prior'.",
    completion: .custom { words, _, _ in Host.names(in: .prior, on: words) }) var prior: String
  @Option(help: ArgumentHelp("Numbers of classes, as in 2,4,10,20.", valueName: "list")) var classes = "10"
  @Option(help: ArgumentHelp("Latent dimensions.", valueName: "count")) var dimensions = 3
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A setting of the prior: --set prior.iterations=5000. Repeat for more.", valueName: "path=value")
  )
  var settings: [String] = []
  @Option(parsing: .unconditional, help: "What the random starts depend on.") var seed = 0
  @Option(help: ArgumentHelp("The picture; none unless said.", valueName: "file.png")) var output: String?
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...100_000).contains(dimensions) else {
      throw ValidationError("--dimensions is \(dimensions), expected 1 to 100000")
    }
    guard output == nil || (2...3).contains(dimensions) else {
      throw ValidationError(
        "--output draws points in 2 or 3 dimensions, and --dimensions is \(dimensions); leave it out")
    }
    guard seed >= 0 else { throw ValidationError("--seed is \(seed), expected 0 or more") }
    for setting in settings where !isOfPrior(setting) {
      throw ValidationError(
        """
        --set: found '\(setting)', expected a setting of the prior, as in prior.iterations=5000; the prior is the \
        argument, and --classes, --dimensions and --seed say the rest
        """)
    }
    _ = try counts
  }

  /// Whether the path begins with `prior.` and goes on to something else than the prior's own name.
  private func isOfPrior(_ setting: String) -> Bool {
    let path = Recipe.path(of: setting).split(separator: ".").map { $0.trimmingCharacters(in: .whitespaces) }
    return path.count > 1 && path[0] == "prior" && path[1] != "use"
  }

  private var counts: [Int] {
    get throws {
      let pieces = classes.split(separator: ",", omittingEmptySubsequences: false)
      var seen: Set<Int> = []
      return try pieces.map { piece in
        guard let count = Int(piece.trimmingCharacters(in: .whitespaces)), (1...100_000).contains(count) else {
          throw ValidationError("--classes: found '\(piece)', expected numbers from 1 to 100000, as in 2,4,10,20")
        }
        guard seen.insert(count).inserted else {
          throw ValidationError("--classes: found \(count) twice; keep one")
        }
        return count
      }
    }
  }

  func run(in host: Host) throws {
    let picture = try output.map { try OutputFile.named($0, by: "--output", endings: ["png", "svg"]) }
    if picture != nil, let missing = FigurePrograms.missing { throw FigureError(missing) }
    try machine.machine().apply()
    var recipe = Recipe()
    recipe[.prior] = PartChoice(prior)
    for setting in settings { try recipe.set(setting) }
    let entry = try host.catalog[.prior][prior]

    var table = [["classes", "least angle", "mean angle", "energy", "least energy known"]]
    var panels: [SpherePlot] = []
    for count in try counts {
      let points = try place(count, by: entry, recipe[.prior]?.with ?? [:])
      let spread = try AngularSpread(of: points)
      let known = AngularSpread.leastEnergy(of: count, dimensions: dimensions)
      table.append(
        ["\(count)", degrees(spread.minimumAngle), degrees(spread.meanAngle), energy(spread.energy)]
          + [known.map(energy) ?? "-"])
      guard output != nil else { continue }
      let values = try points.doubles()
      panels.append(
        SpherePlot(
          title: "\(count) \(count == 1 ? "class" : "classes")\nleast angle \(degrees(spread.minimumAngle))",
          points: (0..<count).map { Array(values[(dimensions * $0)..<(dimensions * ($0 + 1))]) }))
    }
    host.console.say("centroids of prior '\(prior)' in \(dimensions) dimensions")
    for line in aligned(table) { host.console.say("  \(line)") }
    if let picture {
      try OutputFile.writePicture(picture) { try SpherePlot.write(panels, to: $0) }
      host.console.say("picture  \(picture.relativePath)")
    }
  }

  /// `[count, dimensions]`, on the CPU.
  private func place(_ count: Int, by entry: Entry<any Prior>, _ settings: [String: Value]) throws -> Tensor {
    let title = "prior '\(prior)'"
    let scope = try Scope(path: "prior", seed: UInt64(seed))
    let context = BuildContext(
      inputShape: [dimensions], classCount: count, latentSize: dimensions, scope: scope, title: title)
    guard let prior = try entry.make(settings, at: "prior.with", in: context) as? any CentroidPrior else {
      throw RecipeError("\(title) places no class at a point; choose one that does, as 'host list prior' says")
    }
    let points = try prior.centroids.detached().to(.float64, .cpu)
    guard points.shape == [count, dimensions] else {
      throw RecipeError(
        "\(title) has centroids of shape \(points.shape), expected \([count, dimensions]); drop its classes")
    }
    return points
  }

  private func degrees(_ angle: Double) -> String { String(format: "%.3f°", angle) }
  private func energy(_ value: Double) -> String { String(format: "%.6f", value) }
}
