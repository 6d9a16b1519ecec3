import Foundation
import Runs

/// A small model on a few of the digits that ship with the package.
let small = """
  data: {use: mnist, with: {embedded: true, limit: 300}}
  encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
  prior: pedcc
  sampler: class-gaussian
  metrics: [nearest-class-mean, reconstruction-error]
  stages: [{epochs: 2, batch: 50}]
  """

/// A folder that is removed when its test is over.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-runs-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }
}

/// Counts what it hears.
final class Listener: RunObserver {
  var (runs, steps, epochs): (Int, Int, [EpochRecord]) = (0, 0, [])
  var (results, notices): ([RunResults], [Notice]) = ([], [])

  func began(_ run: Run) { runs += 1 }
  func progressed(_ progress: TrainingProgress) { steps += 1 }
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) { self.epochs.append(record) }
  func finished(_ run: Run, with results: RunResults) { self.results.append(results) }
  func noticed(_ notice: Notice) { notices.append(notice) }
}
