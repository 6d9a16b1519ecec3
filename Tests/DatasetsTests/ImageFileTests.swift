import Foundation
import LatentKit
import Testing

@testable import Datasets

func fixture(_ name: String) throws -> URL {
  try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).appendingPathComponent(name)
}

func fixtureBytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: fixture(name))) }

private func difference(_ a: [UInt8], _ b: [UInt8]) -> Int {
  a.count == b.count ? zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 999
}

// Expected pixels: Pillow's, and NumPy's for alpha and for 16 bits; see make-fixtures.py.
@Test(arguments: ["grey.png", "grey16.png", "bits.png", "rgb.png", "palette.png", "rgba.png", "grey-alpha.png"])
func pngIsDecodedAsByPillow(name: String) throws {
  let image = try DecodedImage(contentsOf: fixture(name))
  #expect(image.width == 13 && image.height == 9)
  #expect(image.channels == (name.hasPrefix("gr") || name.hasPrefix("bits") ? 1 : 3))
  #expect(try difference(image.pixels, fixtureBytes("\(name).raw")) == 0)
}

// Other versions of libjpeg-turbo may round the colour conversion differently: 1 of 255.
@Test(arguments: ["rgb.jpg", "progressive.jpg", "grey.jpg"] + (2...8).map { "exif\($0).jpg" })
func jpegIsDecodedAndTurnedAsByPillow(name: String) throws {
  let image = try DecodedImage(contentsOf: fixture(name))
  let isTurned = ["exif5.jpg", "exif6.jpg", "exif7.jpg", "exif8.jpg"].contains(name)
  #expect(image.width == (isTurned ? 16 : 24) && image.height == (isTurned ? 24 : 16))
  #expect(try difference(image.pixels, fixtureBytes("\(name).raw")) <= 1)
}

@Test func greyIsTheLumaOfPillow() throws {
  let image = try DecodedImage(contentsOf: fixture("rgb.png"))
  image.makeGrey()
  #expect(image.channels == 1)
  #expect(try image.pixels == fixtureBytes("rgb-as-grey.raw"))
}

// By NumPy in Float64; where that ends in a half, Float32 may round the other way.
@Test(arguments: [(4, 5), (4, 20), (15, 20), (9, 6)])
func resizingAveragesAreasAndInterpolates(height: Int, width: Int) throws {
  let image = try DecodedImage(contentsOf: fixture("rgb.png"))
  let found = try image.resized(.init(width: 13, height: 9), width: width, height: height, path: "x")
  let bytes = try fixtureBytes("resized-\(height)x\(width).raw")
  let expected = bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
  #expect(found.count == expected.count && expected.count == 3 * height * width)
  #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 0.501 })
}

@Test func aPartIsTheMiddleInWholePixels() throws {
  #expect(ImageFit.middle(of: (100, 60), like: (28, 28)) == .init(left: 0, top: 20, width: 60, height: 60))
  #expect(ImageFit.middle(of: (60, 101), like: (28, 28)) == .init(left: 20, top: 0, width: 60, height: 60))
  #expect(ImageFit.middle(of: (28, 28), like: (10, 1000)) == .init(left: 0, top: 13, width: 28, height: 1))
  let image = try DecodedImage(contentsOf: fixture("grey.png"))
  var fit = ImageFit(size: (26, 26), shape: .pad, background: 7)
  let padded = try fit.fit(image, path: "x")
  // 13 x 9 in 26 x 26: 26 x 18, four rows above and below.
  #expect(padded.pixels.prefix(26 * 4).allSatisfy { $0 == 7 } && padded.pixels.suffix(26 * 4).allSatisfy { $0 == 7 })
  #expect(
    try Array(padded.pixels[(26 * 4)..<(26 * 22)])
      == image.resized(.init(width: 13, height: 9), width: 26, height: 18, path: "x"))
  fit.shape = .crop
  fit.size = (9, 9)
  let cropped = try fit.fit(image, path: "x")
  let all = image.pixels
  let middle = (0..<9).map { Array(all[($0 * 13 + 2)..<($0 * 13 + 11)]) }
  #expect(cropped.pixels == Array(middle.joined()))
}

@Test(arguments: ["rgb.png", "palette.png", "grey16.png", "rgb.jpg", "progressive.jpg", "exif6.jpg"])
func damagedPicturesAreRefusedAndNeverTrap(name: String) throws {
  let whole = try fixtureBytes(name)
  for length in stride(from: 0, to: whole.count - 1, by: 3) {
    #expect(message { _ = try DecodedImage(Data(whole.prefix(length)), path: "x") } != nil, "\(length)")
  }
  let random = noise(3000)
  var refused = 0
  for round in 0..<1000 {
    var bytes = whole
    let place = (Int(random[3 * round % 2900]) << 8 | Int(random[(3 * round + 1) % 2900])) % bytes.count
    bytes[place] ^= UInt8(1 << (round % 8))
    if message({ _ = try DecodedImage(Data(bytes), path: "x") }) != nil { refused += 1 }
  }
  #expect(refused > 0)
  let text = message { _ = try DecodedImage(Data(whole.prefix(whole.count / 2)), path: "x.png") }
  #expect(text?.hasPrefix("x.png: is truncated or corrupted: ") == true, "\(text ?? "")")
}

@Test func largeAndForeignPicturesAreRefusedByTheirHeader() throws {
  #expect(
    message { _ = try DecodedImage(contentsOf: fixture("rgb.png"), limit: 13 * 9 - 1) }?
      .hasSuffix("has 13 x 9 pixels, more than 116; shrink it, or raise the limit by data.megapixels") == true)
  #expect(message { _ = try DecodedImage(contentsOf: fixture("rgb.jpg"), limit: 100) }?.contains("24 x 16") == true)
  #expect(
    message { _ = try DecodedImage(contentsOf: fixture("cmyk.jpg")) }?.contains("in CMYK colours, expected grey")
      == true)
  #expect(
    message { _ = try DecodedImage(Data("GIF89a".utf8), path: "x.png") }
      == "x.png: is neither a PNG nor a JPEG file; convert it or take it out")
  // A header of 6,000 x 6,000 over a few bytes.
  func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    bigEndian([bytes.count]) + Array(name.utf8) + bytes + bigEndian([crc(Array(name.utf8) + bytes)])
  }
  let bomb =
    [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10] + chunk("IHDR", bigEndian([6000, 6000]) + [16, 6, 0, 0, 0])
    + chunk("IDAT", [0x78, 0x9c, 3, 0, 0, 0, 0, 1]) + chunk("IEND", [])
  #expect(
    message { _ = try DecodedImage(Data(bomb), path: "x") }?.contains("it is shorter than its header says") == true)
}
