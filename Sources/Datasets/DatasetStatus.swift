import Foundation

extension DatasetDescription {
  /// Returns the present source of the set in a few words, for lists.
  public func status(
    in directory: URL?, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    switch try? DatasetLibrary.locate(self, in: directory, embedded: nil, environment: environment) {
    case .files(let files): "in \(files.first?.deletingLastPathComponent().path ?? "")"
    case .embedded: "ships with the package as a small subset; 'host data fetch \(name)' gets the full set"
    case nil where mirrors.isEmpty: "not here; \(DatasetLibrary.advice(self, nil))"
    case nil: "not here; get it with 'host data fetch \(name)'"
    }
  }
}
