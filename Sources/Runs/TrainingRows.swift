import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// Which rows of which data a run was trained on.
struct TrainingRows {
  private let name: String
  private let digest: String?
  private let isEmbedded: Bool
  private let split: URL

  init(of session: Session, digest: String?, in folder: RunFolder) {
    (name, self.digest) = (session.dataset.name, digest)
    (isEmbedded, split) = (session.settings.embedded == true, folder.split)
  }

  /// A warning where the run was trained on examples that another one is tested on; nil where it was not, where nothing tells, and
  /// for runs of earlier versions, which left no split.
  ///
  /// Of the same data, examples are known by their rows; of other files with ids, by those.
  ///
  /// - Parameters:
  ///   - part: What is taken from the run, in words.
  ///   - path: The run's folder.
  func warning(about part: String, from path: String, in session: Session) throws -> String? {
    guard FileManager.default.fileExists(atPath: split.path) else { return nil }
    let isSame =
      name == session.dataset.name && digest == session.dataset.digest
      && isEmbedded == (session.settings.embedded == true)
    guard isSame || session.dataset.ids != nil else { return nil }
    let rows = try delimitedTexts(in: split)
    guard let head = rows.first, let place = head.firstIndex(of: isSame ? "row" : "id"),
      let name = head.firstIndex(of: "part")
    else { return nil }
    // A file that was cut short says what it still can.
    let whole = rows.dropFirst().filter { $0.count == head.count }
    let trained = Set(whole.filter { $0[name] == DataPart.train.rawValue }.map { $0[place] })
    let tested = try session.test.examples.rowNumbers()
    let seen = tested.count { trained.contains(isSame ? "\($0)" : session.dataset.ids?[$0] ?? "") }
    guard seen > 0 else { return nil }
    return
      "\(part) comes from the run in \(path), which was trained on \(seen) of the \(tested.count) test examples of this run, so that they "
      + "are not unseen; split the data alike, by data.splitFile=\(split.relativePath) say"
  }
}
