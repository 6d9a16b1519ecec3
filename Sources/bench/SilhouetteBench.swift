import ArgumentParser
import Foundation
import HostKit
import LatentKit
import Statistics

/// Times the mean silhouette of points from a file, for `Benchmarks/silhouette.py`.
struct SilhouetteBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "silhouette", abstract: "Time the silhouette of some points; prints one line of JSON.")

  @Argument(help: "Safetensors with 'points' [n, d] and 'labels' [n].") var file: String
  @Option(help: "How often it is timed.") var repeats = 5
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    try machine.machine().apply()
    let tensors = try Safetensors.read(URL(fileURLWithPath: file)).tensors
    guard let points = tensors["points"], let labels = tensors["labels"], repeats > 0 else {
      throw ValidationError("\(file) needs tensors 'points' and 'labels', and --repeats 1 or more")
    }
    let classCount = Int(try labels.max().item()) + 1
    var value = 0.0
    let seconds = try (0..<repeats).map { _ in
      let start = ContinuousClock.now
      value = try points.silhouettes(labels: labels, classCount: classCount).mean().item()
      return (ContinuousClock.now - start) / .seconds(1)
    }
    let times = seconds.map { String(format: "%.6f", $0) }.joined(separator: ", ")
    print("{\"seconds\": [\(times)], \"silhouette\": \(value), \"threads\": \(Torch.threadCount)}")
  }
}
