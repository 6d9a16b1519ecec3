import Foundation

extension URL {
  /// The path of a file or folder by which two names of it are known to be one: absolute, standardised, links followed.
  package var realPath: String { absoluteURL.standardizedFileURL.resolvingSymlinksInPath().path }
}
