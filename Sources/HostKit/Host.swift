import ArgumentParser
import Foundation
import LatentKit
import Training

/// The `host` program: `Host.main(plugins:)` is all of its executable.
public enum Host {
  /// What the commands of this program know.
  @TaskLocal static var plugins: [any Plugin.Type] = []

  static var catalog: Catalog { get throws { try Catalog(plugins) } }

  /// Runs the command line with the parts of these plugins.
  public static func main(plugins: [any Plugin.Type]) {
    Torch.keepLargeBlocks()
    // A reader that goes away, 'host compose … | head' say, must not end a training run.
    signal(SIGPIPE, SIG_IGN)
    $plugins.withValue(plugins) { HostCommand.main() }
  }
}

struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host",
    abstract: "Compose, train, measure and sample autoencoders from the parts of many papers.",
    discussion: """
      A model is a recipe: an encoder, a decoder, a prior, losses and a sampler by name, from any plugin.

        host compose --encoder resnet --prior pedcc --sampler mh
        host compose --encoder mlp --data fashion-mnist --set encoder.latent=16
        host compose runs/demo/recipe.yaml --seed 1

      What is not said comes from the parts that were chosen; the resolved recipe in \
      the run's folder shows all of it. See which parts there are with 'host list', \
      what a part can be set to with 'host list prior pedcc', and what this machine \
      has with 'host doctor'.
      """,
    version: "LatentKit 0.1.0 on libtorch \(Torch.version)",
    subcommands: [
      Compose.self, Train.self, Reproduce.self, Evaluate.self, Sample.self, Reconstruct.self, Centroids.self, List.self,
      DataCommand.self, Doctor.self,
      Bench.self, BenchProjections.self, BenchSampler.self, BenchSilhouette.self,
    ])
}

/// Prints a line to standard output. Where nobody can read it, a full device say, the program goes on: what counts is in
/// files.
func say(_ line: String = "") { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }

/// Prints a line to standard error: for warnings and notes that are not results.
func warn(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8)) }
