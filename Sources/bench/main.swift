import ArgumentParser
import LatentKit

/// The times that `make bench` compares with those of other libraries.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time what LatentKit does; the scripts in Benchmarks/ time other libraries beside it.",
    subcommands: [TrainingBench.self, ProjectionsBench.self, SamplerBench.self, SilhouetteBench.self, GrowthBench.self])
}

// As the host does.
Torch.keepLargeBlocks()
Bench.main()
