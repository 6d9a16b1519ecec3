import ArgumentParser
import Foundation
import HostKit
import LatentKit
import Recipes
import Runs
import Statistics

#if canImport(Glibc)
  import Glibc
#endif

/// Times one piece of work at one size, for `Benchmarks/growth.py`, which fits how cost grows. A process for each size, so that its
/// memory is its own.
struct GrowthBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "growth", abstract: "Time one piece of work at one size; prints one line of JSON.")

  enum Work: String, CaseIterable, ExpressibleByArgument {
    case stepByWidth = "step-by-width"
    case stepByBatch = "step-by-batch"
    case densityByPoints = "density-by-points"
    case densityByDimensions = "density-by-dimensions"
    case walkByPoints = "walk-by-points"
    case walkByDimensions = "walk-by-dimensions"
    case silhouetteByPoints = "silhouette-by-points"
    case centroidsByClasses = "centroids-by-classes"
    case loadingByRows = "loading-by-rows"
  }

  @Argument(help: "What is done.") var work: Work
  @Option(help: "How large it is.") var size: Int
  @Option(help: "The table that is loaded, with so many rows.") var table: String?
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let machine = try machine.machine()
    try machine.apply()
    // What is given back within the work may be kept by the allocator, and its peak counts.
    let job = try prepare(on: machine)
    let before = peakMegabytes()
    var seconds = try job()
    let peak = peakMegabytes() - before
    let start = ContinuousClock.now
    for _ in 0..<10 where (ContinuousClock.now - start) / .seconds(1) < 1 { seconds = min(seconds, try job()) }
    print(
      """
      {"work": "\(work.rawValue)", "size": \(size), "seconds": \(seconds), "megabytes": \(peak), \
      "threads": \(Torch.threadCount)}
      """)
  }

  /// Returns a function that does the work once and says how long it took.
  private func prepare(on machine: Machine) throws -> () throws -> Double {
    let catalog = try Catalog(plugins)
    switch work {
    case .stepByWidth: return { try stepSeconds(width: size, batch: 128, on: machine) }
    case .stepByBatch: return { try stepSeconds(width: 400, batch: size, on: machine) }
    case .densityByPoints: return try densitySeconds(points: size, dimensions: 10)
    case .densityByDimensions: return try densitySeconds(points: 4000, dimensions: size)
    case .walkByPoints: return try walkSeconds(points: size, dimensions: 10, catalog)
    case .walkByDimensions: return try walkSeconds(points: 4000, dimensions: size, catalog)
    case .silhouetteByPoints:
      let latents = try clusters(of: size / 10, dimensions: 10)
      return {
        try timed { _ = try latents.latents.silhouettes(labels: latents.labels ?? latents.latents, classCount: 10) }
      }
    case .centroidsByClasses:
      return {
        let context = BuildContext(
          inputShape: [16], classCount: size, latentSize: 16, scope: try Scope(path: "prior"), title: "prior 'pedcc'")
        return try timed {
          _ = try catalog[.prior]["pedcc"].make(["tolerance": 0, "iterations": 100], at: "prior.with", in: context)
        }
      }
    case .loadingByRows:
      guard let table else { throw ValidationError("loading-by-rows needs --table") }
      var recipe = Recipe()
      recipe[.data] = PartChoice("table", with: ["path": .string(table)])
      recipe[.encoder] = PartChoice("mlp")
      recipe[.decoder] = PartChoice("mlp")
      let whole = try Composer(catalog).resolve(recipe)
      return { try timed { _ = try Session(whole, catalog: catalog, machine: machine) } }
    }
  }

  private func stepSeconds(width: Int, batch: Int, on machine: Machine) throws -> Double {
    let model = TrainingBench.BenchmarkModel.vae
    var recipe = model.recipe
    recipe[.data] = PartChoice("mnist", with: ["pad": 0, "embedded": true, "validation": 0])
    for slot in [Slot.encoder, .decoder] { recipe[slot]?.with["hidden"] = [.int(width), .int(width)] }
    let timing = TrainingTiming(recipe, losses: model.losses, optimizer: model.optimizer, batch: batch)
    return try timing.run(on: machine, steps: 30, warmup: 5).step ?? .nan
  }

  private func densitySeconds(points: Int, dimensions: Int) throws -> () throws -> Double {
    let latents = try clusters(of: points / 10, dimensions: dimensions).latents
    let density = try KernelDensityStack([KernelDensity(of: latents)], like: latents)
    let places = try density.whiten(latents.slice(0..<200), of: 0).unsqueezed(0)
    return { try timed { _ = try density.logDensity(places) } }
  }

  private func walkSeconds(points: Int, dimensions: Int, _ catalog: Catalog) throws -> () throws -> Double {
    let reference = try clusters(of: points / 10, dimensions: dimensions)
    let settings: [String: Value] = [
      "chains": 20, "warmUp": 20, "steps": 1, "thinning": 2, "jumpEvery": 1, "maximumPoints": .null,
    ]
    let context = BuildContext(
      inputShape: [dimensions], classCount: 10, latentSize: dimensions, scope: try Scope(path: "sampler"),
      title: "sampler 'mh'")
    let sampler = try catalog[.sampler]["mh"].make(settings, at: "sampler.with", in: context)
    let prior = try catalog[.prior]["standard-normal"].make([:], at: "prior.with", in: context)
    let wanted = try Tensor((0..<10).flatMap { Array(repeating: Int64($0), count: 40) })
    let request = DrawRequest(
      labels: wanted, count: wanted.count, latentSize: dimensions, prior: prior, reference: reference)
    return {
      var generator = try Generator(seed: 0, for: "samples")
      return try timed { _ = try sampler.draw(request, using: &generator) }
    }
  }

  /// Ten classes of Gaussian points.
  private func clusters(of count: Int, dimensions: Int) throws -> LatentSet {
    var generator = try Generator(seed: 1)
    let labels = try Tensor((0..<10 * count).map { Int64($0 % 10) })
    let means = try generator.normal([10, dimensions]) * 2
    return LatentSet(latents: try means.rows(labels) + generator.normal([10 * count, dimensions]), labels: labels)
  }

  private func timed(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// The most memory that the process has had, in MB.
  private func peakMegabytes() -> Double {
    var usage = rusage()
    #if canImport(Glibc)
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Double(usage.ru_maxrss) / 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return Double(usage.ru_maxrss) / 1_048_576
    #endif
  }
}
