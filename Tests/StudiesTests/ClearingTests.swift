import Files
import Foundation
import Studies
import Testing
import Training

@Test func nothingIsClearedWhileAnotherProgramWorksOnIt() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: url) }
  let study = RunFolder(url)
  let run = RunFolder(url.appendingPathComponent("seed-1"))
  try study.create(inside: [])
  try Data("seed: 1".utf8).write(to: study.recipe)
  let lock = try run.lock()
  try Data("seed: 1".utf8).write(to: run.recipe)
  #expect(throws: FileError.self) { try Repeats.clear(study) }
  #expect(study.exists && run.exists)
  withExtendedLifetime(lock) {}
}

@Test func clearingAStudyLeavesForeignFiles() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: url) }
  let study = RunFolder(url)
  let run = RunFolder(url.appendingPathComponent("seed-1"))
  try run.create()
  for folder in [study, run] { try Data("seed: 1".utf8).write(to: folder.recipe) }
  let note = url.appendingPathComponent("note.txt")
  try Data("mine".utf8).write(to: note)
  try Repeats.clear(study)
  #expect(!study.exists && !FileManager.default.fileExists(atPath: run.url.path))
  #expect(FileManager.default.fileExists(atPath: note.path))
}
