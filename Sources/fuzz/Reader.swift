import Foundation

/// Something that reads files: real ones to start from, and how one is read.
struct Reader: Sendable {
  let name: String
  /// What the file is called; readers that go by the name see it.
  let file: String
  let originals: @Sendable () throws -> [Original]
  /// Reads a file, and looks at what came of it. Throws what the reader throws, or `Broken`.
  let read: @Sendable (URL, inout Noise) throws -> Void

  init(
    _ name: String, file: String, originals: @escaping @Sendable () throws -> [Original],
    read: @escaping @Sendable (URL, inout Noise) throws -> Void
  ) {
    (self.name, self.file, self.originals, self.read) = (name, file, originals, read)
  }
}

/// A file that was taken, and should not have been; or a message that is of no use.
struct Broken: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func require(_ isTrue: Bool, _ otherwise: @autoclosure () -> String) throws {
  if !isTrue { throw Broken(otherwise()) }
}

/// What a refusal may be: one of LatentKit's own errors, in one line.
func check(refusal error: any Error) throws {
  if error is Broken { throw error }
  let type = "\(Swift.type(of: error))"
  let ownErrors = [
    "FileError", "RecipeFileError", "ConfigError", "RecipeError", "DatasetError", "UnknownName", "TransformError",
  ]
  try require(ownErrors.contains(type), "refused by a bare \(type): \(error)".prefix(600).description)
  let text = "\(error)"
  try require(
    !text.isEmpty && text.utf8.count < 5_000, "the message has \(text.utf8.count) bytes: \(text.prefix(200))…")
}
