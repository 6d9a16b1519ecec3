import Files
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whether `make campaign` asks for all cases in place of a few.
let isFull = ProcessInfo.processInfo.environment["LATENTKIT_CAMPAIGN"] == "full"

/// Something in the place of a file that a program writes.
enum Planted: String, CaseIterable {
  case folder, link, linkToNothing, linkToPipe, pipe, socket, device

  /// Those that can be made here: nodes of devices only by root.
  static let possible = allCases.filter { $0 != .device || geteuid() == 0 }

  /// - Parameter beside: A folder for what links lead to.
  /// - Returns: False where the system does not allow it.
  func put(at url: URL, beside: URL) throws -> Bool {
    let manager = FileManager.default
    switch self {
    case .folder:
      try manager.createDirectory(at: url, withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: url.appendingPathComponent("mine.txt"))
    case .link:
      let mine = beside.appendingPathComponent("mine-\(UUID().uuidString)")
      try Data("mine".utf8).write(to: mine)
      try manager.createSymbolicLink(at: url, withDestinationURL: mine)
    case .linkToNothing:
      try manager.createSymbolicLink(at: url, withDestinationURL: beside.appendingPathComponent(UUID().uuidString))
    case .linkToPipe:
      let pipe = beside.appendingPathComponent("pipe-\(UUID().uuidString)")
      guard mkfifo(pipe.path, 0o600) == 0 else { return false }
      try manager.createSymbolicLink(at: url, withDestinationURL: pipe)
    case .pipe: return mkfifo(url.path, 0o600) == 0
    case .socket:
      // Addresses of sockets are short: the name is given in its folder.
      let (link, descriptor) = ("/tmp/lk-\(UUID().uuidString.prefix(8))", openSocket())
      defer {
        close(descriptor)
        unlink(link)
      }
      guard descriptor >= 0, symlink(url.deletingLastPathComponent().path, link) == 0 else { return false }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let path = Array("\(link)/\(url.lastPathComponent)".utf8)
      guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
      }
    case .device:
      // A number for local use, that no driver answers: a stand-in, and no device.
      #if canImport(Glibc)
        return mknod(url.path, mode_t(S_IFCHR) | 0o600, 240 << 8 | 77) == 0
      #else
        return false
      #endif
    }
    return true
  }
}

private func openSocket() -> Int32 {
  #if canImport(Glibc)
    socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  #else
    socket(AF_UNIX, SOCK_STREAM, 0)
  #endif
}

/// Every file and folder below a folder with its type and bytes; where a link leads, not what is there.
func facts(_ folder: URL) throws -> [String: String] {
  try FileManager.default.subpathsOfDirectory(atPath: folder.path).reduce(into: [:]) { facts, name in
    let url = folder.appendingPathComponent(name)
    switch OutputPlace(url, followsLinks: false) {
    case .file: facts[name] = try Data(contentsOf: url).base64EncodedString()
    case .link: facts[name] = "-> " + (try FileManager.default.destinationOfSymbolicLink(atPath: url.path))
    case let other: facts[name] = other?.rawValue ?? "gone"
    }
  }
}

/// The names that differ, or are only in one of them.
func differences(_ one: [String: String], _ other: [String: String]) -> [String] {
  Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }.sorted()
}
