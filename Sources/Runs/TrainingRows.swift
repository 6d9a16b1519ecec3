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

  init(of session: Session, in folder: RunFolder) {
    (name, digest) = (session.dataset.name, session.dataset.digest)
    (isEmbedded, split) = (session.settings.embedded == true, folder.split)
  }

  /// Whether these are rows of the same data, numbered alike.
  private func areOfData(of session: Session) -> Bool {
    name == session.dataset.name && digest == session.dataset.digest
      && isEmbedded == (session.settings.embedded == true)
  }

  /// A warning where the run was trained on examples that another one is tested on; nil where it was not, and for runs of earlier
  /// versions, which left no split.
  ///
  /// - Parameters:
  ///   - part: What is taken from the run, in words.
  ///   - path: The run's folder.
  func warning(about part: String, from path: String, in session: Session) throws -> String? {
    guard areOfData(of: session), FileManager.default.fileExists(atPath: split.path) else { return nil }
    let rows = try delimitedTexts(in: split)
    guard let place = rows.first?.firstIndex(of: "row"), let name = rows.first?.firstIndex(of: "part") else {
      return nil
    }
    let trained = Set(rows.dropFirst().filter { $0[name] == DataPart.train.rawValue }.compactMap { Int($0[place]) })
    let tested = try session.test.examples.rowNumbers()
    let seen = tested.count(where: trained.contains)
    guard seen > 0 else { return nil }
    return
      "\(part) comes from the run in \(path), which was trained on \(seen) of the \(tested.count) test examples of this run, so that they "
      + "are not unseen; split the data alike, by data.splitFile=\(split.relativePath) say"
  }
}
