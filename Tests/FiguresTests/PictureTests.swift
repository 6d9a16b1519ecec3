import Files
import Foundation
import LatentKit
import Testing

@testable import Figures

@Test func pngHoldsThePixelsExactly() throws {
  var picture = try Picture(width: 19, height: 7)
  for y in 0..<7 { for x in 0..<19 { picture[x, y] = Color(UInt8(x * 13), UInt8(y * 36), UInt8((x * y) % 256)) } }
  let bytes = try picture.png()
  #expect(try Picture(png: bytes) == picture)
  #expect(try picture.png() == bytes)
}

@Test func pngBeginsAsTheFormatSays() throws {
  let bytes = try [UInt8](Picture(width: 300, height: 2).png())
  #expect(Array(bytes.prefix(8)) == [137, 80, 78, 71, 13, 10, 26, 10])
  #expect(String(decoding: bytes[12..<16], as: UTF8.self) == "IHDR")
  #expect(Array(bytes[16..<24]) == [0, 0, 1, 44, 0, 0, 0, 2])
  #expect(String(decoding: bytes.suffix(8).prefix(4), as: UTF8.self) == "IEND")
}

@Test func pixelsWithoutAnyOrderFitIntoAPNG() throws {
  var generator = SystemRandomNumberGenerator()
  var picture = try Picture(width: 257, height: 129)
  for y in 0..<129 {
    for x in 0..<257 { picture[x, y] = Color(.random(in: 0...255, using: &generator), .random(in: 0...255), 7) }
  }
  #expect(try Picture(png: picture.png()) == picture)
}

@Test func brokenPNGsAreRefused() throws {
  let bytes = try Picture(width: 20, height: 20, color: .signal).png()
  for length in [0, 1, 7, 8, 20, 33, 40, 60] {
    #expect(throws: FigureError.self) { try Picture(png: bytes.prefix(length)) }
  }
  var damaged = bytes
  damaged[20] ^= 1  // in the header, below its checksum
  #expect(throws: FigureError.self) { try Picture(png: damaged) }
}

@Test func picturesOfNoOrAbsurdSizeAreRefused() {
  for (width, height) in [(0, 5), (5, 0), (-1, 5), (Picture.longestSide + 1, 1)] {
    #expect(throws: FigureError.self) { try Picture(width: width, height: height) }
  }
}

@Test func whatLiesOutsideOfAPictureIsLeftOut() throws {
  var picture = try Picture(width: 4, height: 4)
  for (x, y) in [(-1, 2), (4, 2), (2, -1), (2, 4), (2, 0), (3, 1)] { picture[x, y] = .signal }
  let found = (0..<4).flatMap { y in (0..<4).filter { picture[$0, y] == .signal }.map { [$0, y] } }
  #expect(found == [[2, 0], [3, 1]])
  #expect(picture[-1, 2] == .white)
}

@Test func aPictureThatCannotBeWrittenLeavesNothing() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("missing-\(UUID())/x.png")
  #expect(throws: FileError.self) { try Picture(width: 1, height: 1).write(to: url) }
  #expect(!FileManager.default.fileExists(atPath: url.deletingLastPathComponent().path))
}
