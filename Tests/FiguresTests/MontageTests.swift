import Files
import Foundation
import LatentKit
import Testing

@testable import Figures

private func tile(_ shade: UInt8, width: Int = 30, height: Int = 20) throws -> Picture {
  try Picture(width: width, height: height, color: Color(shade, 7, 200))
}

/// Where the tile of a shade lies in a picture: its corner, found pixel by pixel.
private func corner(of tile: Picture, in picture: Picture) throws -> (x: Int, y: Int) {
  let color = tile[0, 0]
  let places = (0..<picture.height).flatMap { y in
    (0..<picture.width).filter { picture[$0, y] == color }.map { (x: $0, y: y) }
  }
  let first = try #require(places.first)
  #expect(places.count == tile.width * tile.height)
  #expect(places.allSatisfy { (0..<tile.width).contains($0.x - first.x) && (0..<tile.height).contains($0.y - first.y) })
  return first
}

private func montage(_ rows: [[(String, Picture)?]], caption: String? = nil, padding: Int = 14) throws -> Picture {
  try Montage(rows: rows.map { $0.map { $0.map { Montage.Panel($0.0, $0.1) } } }, caption: caption, padding: padding)
    .tiles
}

@Test func panelsOfAMontageStandInRowsAndColumns() throws {
  let tiles = try [tile(10), tile(20, width: 50), tile(30, height: 44), tile(40, width: 44), tile(50)]
  let rows = [[tiles[0], tiles[1], tiles[2]], [tiles[3], nil, tiles[4]]]
  let picture = try montage(rows.map { $0.map { $0.map { ("", $0) } } }, padding: 11)
  let found = try tiles.map { try corner(of: $0, in: picture) }
  // The widest panel of a column and the highest of a row set the step; a place without a panel is left blank.
  #expect(found.map(\.x).map { $0 - found[0].x } == [0, 44 + 11, 44 + 11 + 50 + 11, 0, 44 + 11 + 50 + 11])
  #expect(found.map(\.y).map { $0 - found[0].y } == [0, 0, 0, 44 + 11, 44 + 11])
}

@Test(.enabled(if: hasGnuplot)) func titlesStandAbovePanelsAndTheCaptionAboveAll() throws {
  let inner = try tile(90, width: 200, height: 60)
  let made = try Montage(rows: [[.init("epoch 40", inner)]], caption: "Figure 5")
  let (picture, svg) = try drawn(made.lettered)
  let (x, y) = try corner(of: inner, in: picture)
  // Two lines of letters above the picture, and white all around it elsewhere.
  let rows = (0..<y).filter { row in (0..<picture.width).contains { picture[$0, row] != .white } }
  let gaps = zip(rows, rows.dropFirst()).count { $1 > $0 + 1 }
  #expect(gaps == 1)
  #expect(
    ((y + 60)..<picture.height).allSatisfy { row in (0..<picture.width).allSatisfy { picture[$0, row] == .white } })
  #expect((0..<picture.height).allSatisfy { row in (0..<x).allSatisfy { row < y || picture[$0, row] == .white } })
  #expect(texts(svg) == ["Figure 5", "epoch 40"])
}

@Test(.enabled(if: hasGnuplot)) func longTitlesBreakAndPushPanelsDownTogether() throws {
  let (left, right) = (try tile(1, width: 90), try tile(2, width: 90))
  func place(_ rows: [[Montage.Panel?]], _ tile: Picture) throws -> Int {
    try corner(of: tile, in: drawn(Montage(rows: rows).lettered).picture).y
  }
  let long = Montage.Panel("one two three four five six", left)
  let rows = [[long, .init("one", right)]]
  #expect(try place(rows, left) == place(rows, right))
  let lines = Lettering.lines(of: long.title, width: 90, size: Style.titleSize, atMost: 3).count
  #expect(lines > 1)
  #expect(try place([[long]], left) - place([[.init("one", left)]], left) == (lines - 1) * 20)
}

@Test func montagesOfNothingAreRefused() throws {
  #expect(throws: FigureError.self) { try montage([[], [nil]]) }
  let one = try tile(1)
  #expect(throws: FigureError.self) { try montage([[("", one)]], padding: -1) }
  let wide = try Picture(width: 20_000, height: 1)
  #expect(throws: FigureError.self) { try montage([[("", wide), ("", wide)]]) }
}

@Test func picturesThatLieOutsideAreCutOff() throws {
  var picture = try Picture(width: 6, height: 5)
  let other = try tile(90, width: 4, height: 3)
  for (x, y) in [(-2, -1), (4, 3), (-9, 0), (0, 9), (6, 0)] { picture.draw(other, x: x, y: y) }
  let covered = (0..<5).map { y in (0..<6).filter { picture[$0, y] == other[0, 0] } }
  #expect(covered == [[0, 1], [0, 1], [], [4, 5], [4, 5]])
  #expect(picture.pixels.count == 90)
}

@Test func picturesAreReadBackAndDamagedFilesAreNamed() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("picture-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  var picture = try tile(90)
  picture[3, 4] = .signal
  let url = folder.appendingPathComponent("x.png")
  try picture.write(to: url)
  #expect(try Picture(contentsOf: url) == picture)
  try picture.png().prefix(50).write(to: url)
  let error = #expect(throws: FigureError.self) { try Picture(contentsOf: url) }
  #expect(error?.description.contains("\(url.path): found 50 bytes, expected a PNG file") == true)
  #expect(throws: FileError.self) { try Picture(contentsOf: folder.appendingPathComponent("none.png")) }
  #expect(throws: FileError.self) { try Picture(contentsOf: folder) }
}
