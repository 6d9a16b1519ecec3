import Foundation
import Testing

@testable import Datasets

/// What a file of these bytes reads as, or the message of its refusal.
private func read(_ bytes: [UInt8], _ kind: IDX.Kind = .any) throws -> Result<IDX, Refusal> {
  try withFolder { folder in
    let file = folder.appendingPathComponent("file")
    try file.write(bytes)
    do { return .success(try IDX(contentsOf: file, expecting: kind)) } catch { return .failure(Refusal("\(error)")) }
  }
}

private struct Refusal: Error {
  let message: String
  init(_ message: String) { self.message = message }
}

private func refusal(_ bytes: [UInt8], _ kind: IDX.Kind = .any) throws -> String {
  switch try read(bytes, kind) {
  case .success(let idx): "read \(idx.shape)"
  case .failure(let refusal): refusal.message
  }
}

private let image: [UInt8] = idx([2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])

@Test func handWrittenImagesAreRead() throws {
  #expect(image.prefix(4) == [0, 0, 8, 3])
  #expect(try read(image, .images).get() == IDX(shape: [2, 2, 3], bytes: Data(1...12)))
}

@Test func handWrittenLabelsAreRead() throws {
  #expect(try read([0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9], .labels).get() == IDX(shape: [3], bytes: Data([7, 0, 9])))
}

@Test func anyRankIsRead() throws {
  #expect(try read(idx([2, 3], [1, 2, 3, 4, 5, 6])).get().shape == [2, 3])
  #expect(try read(idx([1, 1, 2, 1], [1, 2])).get().shape == [1, 1, 2, 1])
}

@Test func gzipIsReadMemberAfterMember() throws {
  let plain = try read(image).get()
  #expect(try read(gzip(image)).get() == plain)
  for cut in [1, 4, 10, 17, 27] {
    #expect(try read(gzip(Array(image[..<cut])) + gzip([]) + gzip(Array(image[cut...]))).get() == plain)
  }
}

@Test func everyTruncationIsRefused() throws {
  for count in 0..<image.count { #expect(try refusal(Array(image[..<count])).contains("truncated")) }
  let packed = gzip(image)
  for count in 0..<packed.count { #expect(try refusal(Array(packed[..<count])).contains("truncated"), "\(count)") }
}

@Test func everyFlippedBitOfAGzipFileIsRefused() throws {
  let packed = gzip(image)
  // Bytes 3 to 9 hold flags, time and system, and five bits of byte 10 fill it up: they say nothing about the content.
  for position in packed.indices where position > 9 {
    for bit in 0..<(position == 10 ? 3 : 8) {
      var damaged = packed
      damaged[position] ^= 1 << bit
      #expect(try refusal(damaged).hasPrefix("/"), "bit \(bit) of byte \(position)")
    }
  }
  var damaged = packed
  damaged[damaged.count - 5] ^= 1
  #expect(try refusal(damaged).contains("is corrupted: its gzip data have an incorrect data check"))
}

@Test func bytesAfterTheEndAreRefused() throws {
  #expect(try refusal(image + [0]).contains("is longer than its header says"))
  #expect(try refusal(gzip(image + [0])).contains("is longer than its header says"))
  #expect(try refusal(gzip(image) + gzip([0])).contains("is longer than its header says"))
  #expect(try refusal(gzip(image) + [1, 2, 3]).contains("is corrupted"))
}

@Test func otherMagicNumbersAreRefused() throws {
  #expect(
    try refusal(idx([2], [0, 1]), .images).contains(
      "found magic number 2049 (a label file), expected 2051 (an image file); the image and label files may be swapped")
  )
  #expect(try refusal(image, .labels).contains("found magic number 2051 (an image file), expected 2049"))
  #expect(try refusal(Array("PK\u{3}\u{4}....".utf8), .images).contains("this is not the right file"))
  // Type 13 is Float32; rank 0 is a number.
  #expect(try refusal([0, 0, 13, 1, 0, 0, 0, 0]).contains("found magic number 3329"))
  #expect(try refusal([0, 0, 8, 0]).contains("found magic number 2048"))
}

@Test func filesWithoutExamplesAreRefused() throws {
  #expect(try refusal(idx([0, 28, 28], [])).contains("holds nothing: its header says [0, 28, 28]"))
}

@Test func absurdHeadersAreRefusedBeforeMemoryIsTaken() throws {
  let huge = [0xffff_ffff, 0xffff_ffff, 0xffff_ffff]
  for bytes in [idx(huge, [1, 2, 3]), gzip(idx(huge, [1, 2, 3])), idx([1_000_000], [1]), gzip(idx([1_000_000], [1]))] {
    #expect(try refusal(bytes).contains("bytes can hold"))
  }
}

@Test func whatIsNotAFileIsRefused() throws {
  try withFolder { folder in
    #expect(message { _ = try IDX(contentsOf: folder) }?.contains("is a folder, expected a file") == true)
    let missing = folder.appendingPathComponent("missing")
    #expect(message { _ = try IDX(contentsOf: missing) } == "\(missing.path): there is no such file")
  }
  #expect(message { _ = try IDX(contentsOf: URL(fileURLWithPath: "/dev/null")) } == "/dev/null: is not a file")
}

@Test func aPackedFileOfMoreThanAGiBIsRefused() throws {
  try withFolder { folder in
    // Its length would do: deflate shrinks up to 1032 times.
    let file = folder.appendingPathComponent("images.gz")
    let header = idx([2_000_000, 28, 28], [])
    try file.write((0..<40).flatMap { _ in gzip(header + noise(40_000)) })
    let refused = message { _ = try IDX(contentsOf: file) }
    #expect(refused?.contains("unpacks to 1,568,000,000 bytes, expected at most 1,073,741,824") == true)
  }
}
