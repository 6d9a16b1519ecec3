import Files
import Foundation
import Testing

private func names(_ folder: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

@Test func aWrittenFileReplacesTheOldOne() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("notes.txt")
    try AtomicFile.write("old and long", to: url)
    try AtomicFile.write("new", to: url)
    #expect(try String(contentsOf: url, encoding: .utf8) == "new")
    #expect(try names(folder) == ["notes.txt"])
  }
}

@Test func largePiecesArriveWhole() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("large")
    let pieces = (0..<5).map { Data(repeating: UInt8($0), count: 3_000_001) }
    try AtomicFile.write(to: url) { append in for piece in pieces { try append(piece) } }
    #expect(try Data(contentsOf: url) == pieces.reduce(Data(), +))
    try AtomicFile.write(Data(), to: url)
    #expect(try Data(contentsOf: url).isEmpty)
  }
}

@Test func aFailureHalfWayLeavesTheOldFile() throws {
  struct Stop: Error {}
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("notes.txt")
    try AtomicFile.write("old", to: url)
    #expect(throws: Stop.self) {
      try AtomicFile.write(to: url) { append in
        try append(Data("half".utf8))
        throw Stop()
      }
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(try names(folder) == ["notes.txt"])
  }
}

@Test func aMissingFolderIsNamed() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("no/such/file")
    let error = #expect(throws: FileError.self) { try AtomicFile.write("text", to: url) }
    #expect(error?.path == url.path)
    #expect(error?.reason.contains("the folder does not exist") == true)
    let left = try names(folder)
    #expect(left == [])
  }
}

@Test func aFolderInTheWayIsKept() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("taken")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    #expect(throws: FileError.self) { try AtomicFile.write("text", to: url) }
    #expect(try names(folder) == ["taken"])
  }
}

@Test(.enabled(if: geteuid() != 0, "root may write everywhere")) func aFolderWithoutPermissionKeepsItsFile() throws {
  try inTemporaryFolder { folder in
    let url = folder.appendingPathComponent("notes.txt")
    try AtomicFile.write("old", to: url)
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
    defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path) }
    let error = #expect(throws: FileError.self) { try AtomicFile.write("new", to: url) }
    #expect(error?.reason.contains("no permission") == true)
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(try names(folder) == ["notes.txt"])
  }
}
