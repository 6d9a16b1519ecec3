import Foundation
import LatentKit
import Testing

@testable import Figures

/// The box around all pixels of one colour, and how many there are.
private func box(of color: Color, in picture: Picture) -> (x: ClosedRange<Int>, y: ClosedRange<Int>, count: Int)? {
  let places = (0..<picture.height).flatMap { y in
    (0..<picture.width).filter { picture[$0, y] == color }.map { (x: $0, y: y) }
  }
  guard let first = places.first else { return nil }
  let (xs, ys) = (places.map(\.x), places.map(\.y))
  return ((xs.min() ?? first.x)...(xs.max() ?? first.x), (ys.min() ?? first.y)...(ys.max() ?? first.y), places.count)
}

/// Images of one shade each: the shades are 10, 20, 30 … of 255.
private func shades(_ count: Int, height: Int = 3, width: Int = 4) throws -> Tensor {
  let values = (0..<count).flatMap { index in [Float](repeating: Float(10 * (index + 1)) / 255, count: height * width) }
  return try Tensor(values, shape: [count, 1, height, width])
}

private func gray(_ index: Int) -> Color { Color(gray: UInt8(10 * (index + 1))) }

@Test func imagesStandInRowsInTheirOrder() throws {
  let grid = try ImageGrid(shades(7), columns: 3, padding: 2, scale: 5)
  let boxes = try (0..<7).map { try #require(box(of: gray($0), in: grid.tiles)) }
  for (index, found) in boxes.enumerated() {
    #expect(found.count == 3 * 4 * 25)
    #expect(found.x.count == 20 && found.y.count == 15)
    #expect(found.x.lowerBound - boxes[0].x.lowerBound == index % 3 * 22)
    #expect(found.y.lowerBound - boxes[0].y.lowerBound == index / 3 * 17)
  }
}

@Test func everyPixelOfAnImageIsWhereItShouldBe() throws {
  var generator = try Generator(seed: 1)
  let images = try generator.uniform([2, 3, 5, 6])
  let values = try images.floats()
  let picture = try ImageGrid(images, columns: 2, padding: 3, scale: 2).tiles
  #expect((picture.width, picture.height) == (2 * 12 + 3, 10))
  for index in 0..<2 {
    for y in 0..<10 {
      for x in 0..<12 {
        func level(_ channel: Int) -> UInt8 {
          UInt8((values[((index * 3 + channel) * 5 + y / 2) * 6 + x / 2] * 255).rounded())
        }
        #expect(picture[index * 15 + x, y] == Color(level(0), level(1), level(2)))
      }
    }
  }
}

@Test func valuesAreCutOffAtTheRange() throws {
  let images = try Tensor([-5, -1, 0, 1, 9, .infinity, -.infinity, 0.5], shape: [1, 1, 1, 8])
  let picture = try ImageGrid(images, range: -1...1, scale: 1).tiles
  let found = (0..<8).map { picture[$0, 0].red }
  #expect(found == [0, 0, 128, 255, 255, 255, 0, 191])
}

@Test func valuesThatAreNotNumbersAreShownAndCounted() throws {
  var values = [Float](repeating: 0.5, count: 2 * 9)
  values[4] = .nan
  values[13] = .nan
  let grid = try ImageGrid(Tensor(values, shape: [2, 1, 3, 3]), scale: 4)
  #expect(grid.notANumberCount == 2)
  #expect(box(of: .signal, in: grid.tiles)?.count == 2 * 16)
  #expect(try ImageGrid(shades(2)).notANumberCount == 0)
}

@Test func oneBadChannelMakesAColouredPixelBad() throws {
  let images = try Tensor([0, 0, 0, .nan, 0, 0], shape: [1, 3, 1, 2])
  let grid = try ImageGrid(images, scale: 1)
  #expect(grid.notANumberCount == 1)
  #expect(box(of: .signal, in: grid.tiles)?.count == 1)
}

@Test(.enabled(if: hasGnuplot)) func labelsStandLeftOfTheirRowsAndTouchNoImage() throws {
  let grid = try ImageGrid(shades(6, height: 28), columns: 2, rowLabels: ["Ankle boot", "", "Bag"], scale: 2)
  let (picture, svg) = try drawn(grid.lettered)
  let (bare, first) = (try #require(box(of: gray(0), in: grid.tiles)), try #require(box(of: gray(0), in: picture)))
  // Every pixel of every image is in the figure with its colour, all moved by the same distance.
  for y in 0..<grid.tiles.height {
    for x in 0..<grid.tiles.width {
      #expect(
        picture[x + first.x.lowerBound - bare.x.lowerBound, y + first.y.lowerBound - bare.y.lowerBound]
          == grid.tiles[x, y])
    }
  }
  func letters(besides row: Int) throws -> [Int] {
    let rows = try #require(box(of: gray(2 * row), in: picture)).y
    return (0..<first.x.lowerBound).filter { x in rows.contains { picture[x, $0] != .white } }
  }
  #expect(try letters(besides: 1) == [])
  #expect(try letters(besides: 0).count > 30 && letters(besides: 2).count > 10)
  // All labels end at the same distance from the images, which they do not touch.
  #expect(try letters(besides: 0).allSatisfy { (10...(first.x.lowerBound - 4)).contains($0) })
  #expect(texts(svg) == ["Ankle boot", "Bag"])
}

@Test(.enabled(if: hasGnuplot)) func captionsAndHeadsStandAboveTheImages() throws {
  let caption = "A caption that is a good deal longer than four images are wide, so that it has to break between words"
  let grid = try ImageGrid(shades(4, width: 40), columnLabels: ["a", "", "c"], caption: caption)
  let (picture, svg) = try drawn(grid.lettered)
  let images = try #require(box(of: gray(0), in: picture))
  #expect((0..<images.y.lowerBound).contains { y in (0..<picture.width).contains { picture[$0, y] != .white } })
  #expect(
    (0..<picture.height).allSatisfy { y in (picture.width - 8..<picture.width).allSatisfy { picture[$0, y] == .white } }
  )
  let found = texts(svg)
  #expect(found.dropLast(2).joined(separator: " ") == caption)
  #expect(found.suffix(2) == ["a", "c"])
}

@Test(.enabled(if: hasGnuplot)) func aFigureIsWrittenAsPNGAndSVG() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("figure-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try ImageGrid(shades(4), caption: "four").write(to: folder.appendingPathComponent("a b.c.png"))
  #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a b.c.png", "a b.c.svg"])
  let picture = try Picture(contentsOf: folder.appendingPathComponent("a b.c.png"))
  let svg = try Data(contentsOf: folder.appendingPathComponent("a b.c.svg"))
  #expect(isXML(svg) && texts(svg) == ["four"])
  #expect(String(decoding: svg, as: UTF8.self).contains("viewBox=\"0 0 \(picture.width) \(picture.height)\""))
}

@Test func filesOfAFigureStandBesideEachOther() {
  func names(_ name: String) -> [String] {
    let files = FigureFiles(URL(fileURLWithPath: "/x/\(name)"))
    return [files.png.lastPathComponent, files.svg.lastPathComponent]
  }
  #expect(names("a.png") == ["a.png", "a.svg"])
  #expect(names("a.svg") == ["a.png", "a.svg"])
  #expect(names("beta-0.04") == ["beta-0.04", "beta-0.04.svg"])
  #expect(names("a.b.PNG") == ["a.b.PNG", "a.b.svg"])
}

@Test func withoutGnuplotTheBareImagesAreWritten() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("figure-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let files = FigureFiles(folder.appendingPathComponent("x.png"))
  try Data("old".utf8).write(to: files.svg)
  let grid = try ImageGrid(shades(4), rowLabels: ["a"], caption: "four")
  try grid.lettered.write(to: files.png, searchPath: "/nowhere")
  #expect(try Picture(contentsOf: files.png) == grid.tiles)
  #expect(!FileManager.default.fileExists(atPath: files.svg.path), "an older SVG file would show something else")
}

@Test func moreImagesThanFitAreCutOffAndTheCaptionSaysSo() throws {
  // 3 classes of 1000 images: as many of each as 2400 pixels hold, at 56 pixels and 2 between them.
  let images = try Tensor.zeros([3000, 1, 28, 28])
  let grid = try ImageGrid(images, columns: 1000, rowLabels: ["a", "b", "c"], caption: "samples")
  #expect((grid.imageCount, grid.shownCount) == (3000, 3 * 41))
  #expect(grid.tiles.width == 41 * 58 - 2 && grid.tiles.height == 3 * 58 - 2)
  #expect(grid.lettered.layer.settings.contains { $0.contains("123 of 3000 images are shown.") })
  // Rows are cut off too, whole bands of them.
  let pairs = try ImageGrid.pairs(images, images, columns: 2)
  #expect(pairs.imageCount == 6000 && pairs.shownCount % 4 == 0 && pairs.shownCount > 0)
  #expect(pairs.tiles.height <= ImageGrid.largestHeight && pairs.tiles.height > ImageGrid.largestHeight - 130)
  // Large images: one always fits.
  let wide = try ImageGrid(.zeros([2, 1, 60, 5000]), columns: 2)
  #expect(wide.shownCount == 1 && wide.tiles.width == 5000)
  let few = try ImageGrid(shades(4), caption: "x")
  #expect(few.shownCount == 4 && !few.lettered.layer.settings.contains { $0.contains("shown") })
}

@Test func reconstructionsStandBelowTheirOriginals() throws {
  let all = try shades(10)
  let grid = try ImageGrid.pairs(all.slice(0..<5), all.slice(5..<10), columns: 3, scale: 2)
  let boxes = try (0..<10).map { try #require(box(of: gray($0), in: grid.tiles)) }
  for index in 0..<5 {
    #expect(boxes[index].x == boxes[index + 5].x)
    #expect(boxes[index + 5].y.lowerBound == boxes[index].y.upperBound + 3)
  }
  // The next originals keep more distance.
  #expect(boxes[3].y.lowerBound > boxes[5].y.upperBound + 3)
}

@Test func smallImagesAreDrawnLargerUnlessAskedOtherwise() throws {
  let image = try #require(box(of: gray(0), in: ImageGrid(shades(1, height: 28, width: 28)).tiles))
  #expect(image.x.count == 56)
  let large = try #require(box(of: gray(0), in: ImageGrid(shades(1, height: 105, width: 105)).tiles))
  #expect(large.x.count == 105)
}

@Test func whatIsNoGridOfImagesIsRefused() throws {
  let images = try shades(4)
  let attempts: [() throws -> ImageGrid] = [
    { try ImageGrid(.zeros([4, 28, 28])) }, { try ImageGrid(.zeros([4, 2, 8, 8])) },
    { try ImageGrid(.zeros([0, 1, 8, 8])) },
    { try ImageGrid(.zeros([2, 1, 0, 8])) }, { try ImageGrid(images, range: 1...1) },
    { try ImageGrid(images, range: 0...Double.infinity) }, { try ImageGrid(images, columns: 0) },
    { try ImageGrid(images, scale: 0) }, { try ImageGrid(images, padding: -1) },
    { try ImageGrid(images, scale: 10_000) },
    { try .pairs(images, shades(3)) }, { try .pairs(.zeros([0, 1, 4, 4]), .zeros([0, 1, 4, 4])) },
    { try .pairs(.scalar(1), .scalar(1)) },
  ]
  for (index, attempt) in attempts.enumerated() {
    #expect(throws: FigureError.self, "attempt \(index)") { try attempt() }
  }
}

@Test func refusalsOfAGridNameTheShapeFound() throws {
  let error = #expect(throws: FigureError.self) { try ImageGrid(.zeros([4, 2, 8, 8])) }
  #expect(error?.description.contains("[4, 2, 8, 8]") == true)
}

@Test func imagesWithGradientsCanBeDrawn() throws {
  let images = try shades(2).requiringGradient()
  #expect(try ImageGrid(images * 1).notANumberCount == 0)
}

@Test func severalModelsStandBelowTheirOriginals() throws {
  let images = try shades(9)
  let (originals, first, second) = (try images.slice(0..<3), try images.slice(3..<6), try images.slice(6..<9))
  let grid = try ImageGrid.comparison(
    of: originals, with: [("a", first), ("b", second)], columns: 2, padding: 2, scale: 5)
  let boxes = try (0..<9).map { try #require(box(of: gray($0), in: grid.tiles)) }
  // Two columns: a band of three rows for images 1 and 2, then one for image 3.
  for image in 0..<3 {
    for set in 0..<3 {
      let found = boxes[set * 3 + image]
      #expect(found.x.lowerBound == boxes[image].x.lowerBound)
      #expect(found.y.lowerBound - boxes[image].y.lowerBound == set * 17)
    }
  }
  #expect(boxes[2].x == boxes[0].x && boxes[2].y.lowerBound > boxes[6].y.upperBound + 2)
  let error = #expect(throws: FigureError.self) {
    try ImageGrid.comparison(of: originals, with: [("a", first), ("b", images)])
  }
  #expect(error?.description.contains("images 'b' of shape [9, 1, 3, 4]") == true)
}
