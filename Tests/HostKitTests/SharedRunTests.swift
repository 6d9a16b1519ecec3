import Foundation
import LatentKit
import Studies
import Testing

@Suite struct SharedRuns {
  /// The folders of all runs of an experiment of CSAE; runs of one recipe share theirs.
  private func folders(of experiment: String) throws -> Set<String> {
    let file = packageRoot.appendingPathComponent("Plugins/CSAE/experiments/\(experiment).yaml").path
    let study = try Study(
      Experiment(URL(fileURLWithPath: file)), catalog: Catalog(plugins), in: URL(fileURLWithPath: "runs"))
    return Set(study.cells.flatMap(\.runs).map(\.folder.url.lastPathComponent))
  }

  @Test func figure8OfCSAEIsMeasuredOnTheModelOfTable2() throws {
    let figure = try folders(of: "figure-8")
    #expect(figure.count == 1)
    #expect(try figure.isSubset(of: folders(of: "table-2")))
  }
}
