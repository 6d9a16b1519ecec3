import ArgumentParser
import Foundation
import LatentKit
import SparseSAE

/// Times projections of a matrix of Gaussian weights: the calls that constraints make.
struct ProjectionsBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "projections", abstract: "Time projections onto balls; prints one line of JSON each.")

  @Option(help: "Rows of the matrix.") var rows = 512
  @Option(help: "Columns of the matrix.") var columns = 2944
  @Option(help: "rows or columns.") var groups = "columns"
  @Option(help: "The ball's radius as a share of the matrix's norm.") var share = 0.1
  @Option(help: "Projections that are timed, after one that is not.") var repeats = 9
  @Option(help: "Threads; the library's choice unless said.") var threads: Int?

  func run() throws {
    guard let groups = WeightGroups(rawValue: groups) else {
      throw ValidationError("--groups is '\(groups)', expected rows or columns")
    }
    if let threads { Torch.threadCount = threads }
    var generator = try Generator(seed: 1)
    let weights = try generator.normal([rows, columns])
    let axis = groups == .rows ? 1 : 0
    let sizes = try weights.to(.float64).abs().sum(axis: axis)
    for ball in NormBall.allCases {
      let norm =
        switch ball {
        case .l1, .l11: try sizes.sum().item()
        case .l12: try sizes.square().sum().item().squareRoot()
        case .l21: try weights.to(.float64).square().sum(axis: axis).sqrt().sum().item()
        }
      let copy = try weights.clone()
      var seconds: [Double] = []
      for _ in 0...repeats {
        try copy.copyInPlace(weights)
        let start = ContinuousClock.now
        try copy.projectInPlace(onto: ball, radius: share * norm, groups: groups)
        seconds.append((ContinuousClock.now - start) / .seconds(1))
      }
      // The lowest: what else the machine does only adds.
      let lowest = seconds.dropFirst().min() ?? .nan
      let zeros = try (copy .== 0).to(.float64).mean().item()
      print(
        String(
          format: "{\"ball\": \"%@\", \"milliseconds\": %.4f, \"zeros\": %.6f, \"threads\": %d}", ball.rawValue,
          1000 * lowest, zeros, Torch.threadCount))
    }
  }
}
