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
  let boxes = try (0..<7).map { try #require(box(of: gray($0), in: grid.picture)) }
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
  let picture = try ImageGrid(images, columns: 2, padding: 3, scale: 2).picture
  let margin = (picture.width - (2 * 12 + 3)) / 2
  for index in 0..<2 {
    for y in 0..<10 {
      for x in 0..<12 {
        func level(_ channel: Int) -> UInt8 {
          UInt8((values[((index * 3 + channel) * 5 + y / 2) * 6 + x / 2] * 255).rounded())
        }
        #expect(picture[margin + index * 15 + x, margin + y] == Color(level(0), level(1), level(2)))
      }
    }
  }
}

@Test func valuesAreCutOffAtTheRange() throws {
  let images = try Tensor([-5, -1, 0, 1, 9, .infinity, -.infinity, 0.5], shape: [1, 1, 1, 8])
  let picture = try ImageGrid(images, range: -1...1, scale: 1).picture
  let margin = (picture.width - 8) / 2
  let found = (0..<8).map { picture[margin + $0, margin].red }
  #expect(found == [0, 0, 128, 255, 255, 255, 0, 191])
}

@Test func valuesThatAreNotNumbersAreShownAndCounted() throws {
  var values = [Float](repeating: 0.5, count: 2 * 9)
  values[4] = .nan
  values[13] = .nan
  let grid = try ImageGrid(Tensor(values, shape: [2, 1, 3, 3]), scale: 4)
  #expect(grid.notANumberCount == 2)
  #expect(box(of: .signal, in: grid.picture)?.count == 2 * 16)
  #expect(try ImageGrid(shades(2)).notANumberCount == 0)
}

@Test func oneBadChannelMakesAColouredPixelBad() throws {
  let images = try Tensor([0, 0, 0, .nan, 0, 0], shape: [1, 3, 1, 2])
  let grid = try ImageGrid(images, scale: 1)
  #expect(grid.notANumberCount == 1)
  #expect(box(of: .signal, in: grid.picture)?.count == 1)
}

@Test func labelsStandLeftOfTheirRowsAndTouchNoImage() throws {
  let plain = try ImageGrid(shades(6, height: 28), columns: 2, scale: 2).picture
  let labelled = try ImageGrid(shades(6, height: 28), columns: 2, rowLabels: ["Ankle boot", "", "Bag"], scale: 2)
    .picture
  for index in 0..<6 {
    let (before, after) = try (#require(box(of: gray(index), in: plain)), #require(box(of: gray(index), in: labelled)))
    #expect(after.count == before.count && after.y == before.y)
  }
  let text = try #require(box(of: .ink, in: labelled))
  let images = try #require(box(of: gray(0), in: labelled))
  #expect(text.x.upperBound < images.x.lowerBound)
  // The middle row has no label.
  let middle = try #require(box(of: gray(2), in: labelled)).y
  #expect(middle.allSatisfy { y in (0..<images.x.lowerBound).allSatisfy { labelled[$0, y] == .white } })
}

@Test func aCaptionStandsAboveTheImages() throws {
  let picture = try ImageGrid(shades(4), caption: "A caption that is a good deal longer than four images are wide")
    .picture
  let text = try #require(box(of: .ink, in: picture))
  let images = try #require(box(of: gray(0), in: picture))
  #expect(text.y.upperBound < images.y.lowerBound)
  #expect(text.x.upperBound < picture.width)
}

@Test func reconstructionsStandBelowTheirOriginals() throws {
  let all = try shades(10)
  let grid = try ImageGrid.pairs(all.slice(0..<5), all.slice(5..<10), columns: 3, scale: 2)
  let boxes = try (0..<10).map { try #require(box(of: gray($0), in: grid.picture)) }
  for index in 0..<5 {
    #expect(boxes[index].x == boxes[index + 5].x)
    #expect(boxes[index + 5].y.lowerBound == boxes[index].y.upperBound + 3)
  }
  // The next originals keep more distance.
  #expect(boxes[3].y.lowerBound > boxes[5].y.upperBound + 3)
}

@Test func smallImagesAreDrawnLargerUnlessAskedOtherwise() throws {
  let image = try #require(box(of: gray(0), in: ImageGrid(shades(1, height: 28, width: 28)).picture))
  #expect(image.x.count == 56)
  let large = try #require(box(of: gray(0), in: ImageGrid(shades(1, height: 105, width: 105)).picture))
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

// MARK: Heat maps

@Test func theGreatestValueOfAHeatMapIsDarkest() throws {
  let values: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  let picture = try HeatMap(Tensor(values, shape: [3, 4]), side: 10).picture
  // With neither labels nor numbers the squares begin at the margin.
  let margin = 14
  let lightness = values.indices.map { index in
    let color = picture[margin + index % 4 * 10 + 4, margin + index / 4 * 10 + 4]
    return Int(color.red) + Int(color.green) + Int(color.blue)
  }
  #expect(lightness == lightness.sorted(by: >))
  #expect(Set(lightness).count == 12)
}

@Test func heatMapsShowWhatIsNoNumberAndTakeAnyConstant() throws {
  let picture = try HeatMap(Tensor([1, .nan, 1, 1], shape: [2, 2]), decimals: 1, side: 60).picture
  #expect(try #require(box(of: .signal, in: picture)).x.count == 59)
  #expect(throws: Never.self) { try HeatMap(.zeros([2, 2])) }
  #expect(throws: Never.self) { try HeatMap(.full([2, 2], .nan)) }
}

@Test func heatMapsRefuseLabelsThatDoNotFit() throws {
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3]), rowLabels: ["a"]) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3]), columnLabels: ["a", "b"]) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3, 1])) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([0, 3])) }
}

@Test func severalModelsStandBelowTheirOriginals() throws {
  let images = try shades(9)
  let (originals, first, second) = (try images.slice(0..<3), try images.slice(3..<6), try images.slice(6..<9))
  let grid = try ImageGrid.comparison(
    of: originals, with: [("a", first), ("b", second)], columns: 2, padding: 2, scale: 5)
  let boxes = try (0..<9).map { try #require(box(of: gray($0), in: grid.picture)) }
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
