import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What is where a file is to be written.
public enum OutputPlace: String {
  case file = "a file"
  case folder = "a folder"
  case link = "a link"
  case pipe = "a pipe"
  case socket = "a socket"
  case device = "a device"

  /// - Parameter followsLinks: Whether to tell what a link leads to. One that leads nowhere is nil then.
  public init?(_ url: URL, followsLinks: Bool) {
    var facts = stat()
    guard (followsLinks ? stat(url.path, &facts) : lstat(url.path, &facts)) == 0 else { return nil }
    switch facts.st_mode & mode_t(S_IFMT) {
    case mode_t(S_IFREG): self = .file
    case mode_t(S_IFDIR): self = .folder
    case mode_t(S_IFLNK): self = .link
    case mode_t(S_IFIFO): self = .pipe
    case mode_t(S_IFSOCK): self = .socket
    default: self = .device
    }
  }

  /// Refuses everything but regular files, links to them and free names.
  /// - Throws: `FileError`.
  public static func requireFile(_ url: URL) throws {
    guard let found = OutputPlace(url, followsLinks: true), found != .file else { return }
    throw FileError(url.path, "is \(found.rawValue), expected a file or a new name; choose another name")
  }

  /// Refuses what is there and cannot be read like a file: a pipe would be waited for. A missing file is none of its business.
  /// - Throws: `FileError`.
  public static func requireReadable(_ url: URL) throws {
    guard let found = OutputPlace(url, followsLinks: true), found != .file else { return }
    throw FileError(url.path, "is \(found.rawValue), expected a file; move it away, or name another one")
  }

  /// Refuses everything but what is expected and free names; links to it too.
  /// - Throws: `FileError`.
  public static func require(_ expected: OutputPlace, at url: URL) throws {
    guard let found = OutputPlace(url, followsLinks: false), found != expected else { return }
    throw FileError(url.path, "is \(found.rawValue), expected \(expected.rawValue) of this run; move it away")
  }
}
