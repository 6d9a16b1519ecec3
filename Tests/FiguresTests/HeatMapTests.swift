import Foundation
import LatentKit
import Testing

@testable import Figures

private func places(_ color: Color, in picture: Picture) -> [(x: Int, y: Int)] {
  (0..<picture.height).flatMap { y in (0..<picture.width).filter { picture[$0, y] == color }.map { ($0, y) } }
}

@Test(.enabled(if: hasGnuplot)) func theGreatestValueOfAHeatMapIsDarkest() throws {
  let values: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
  let map = try HeatMap(Tensor(values, shape: [3, 4]))
  let (drawing, left, top, side) = try map.drawing()
  let picture = try Picture(png: Gnuplot.draw(drawing).png)
  func color(_ index: Int, _ dx: Int, _ dy: Int) -> Color {
    picture[left + index % 4 * side + dx, top + index / 4 * side + dy]
  }
  let lightness = values.indices.map {
    Int(color($0, 4, 4).red) + Int(color($0, 4, 4).green) + Int(color($0, 4, 4).blue)
  }
  #expect(lightness == lightness.sorted(by: >))
  #expect(Set(lightness).count == 12)
  // A square is of one colour, up to its edges.
  for index in values.indices {
    #expect(color(index, 1, 1) == color(index, side - 2, side - 2) && color(index, 1, 1) == color(index, side / 2, 2))
  }
  #expect(color(0, 4, 4) == Color(0xF6, 0xF9, 0xFC) && color(11, 4, 4) == Color(0x0A, 0x2A, 0x5E))
}

@Test(.enabled(if: hasGnuplot)) func heatMapsShowWhatIsNoNumberAndTakeAnyConstant() throws {
  let (drawing, left, top, side) = try HeatMap(Tensor([1, .nan, .infinity, 1], shape: [2, 2])).drawing()
  let found = places(.signal, in: try Picture(png: Gnuplot.draw(drawing).png))
  #expect(found.count >= (side - 2) * (side - 2) && found.count <= side * side)
  #expect(found.allSatisfy { (left + side..<left + 2 * side).contains($0.x) && (top..<top + side).contains($0.y) })
  for matrix in [
    try Tensor.zeros([2, 2]), try .full([2, 2], .nan), try .full([2, 2], -.infinity), try .zeros([1, 1]),
  ] {
    let (png, svg) = try Gnuplot.draw(HeatMap(matrix, decimals: 1).drawing().drawing)
    #expect(throws: Never.self) { try Picture(png: png) }
    #expect(isXML(svg))
  }
}

@Test(.enabled(if: hasGnuplot)) func aConfusionMatrixNamesItsClassesAndNumbers() throws {
  let names = ["T-shirt/top", "Ankle boot", "C & <D>"]
  let map = try HeatMap(
    Tensor([90, 10, 0, 5, 95, 0, 1, 2, 97], shape: [3, 3]), title: "Confusion", rowLabels: names, columnLabels: names,
    xLabel: "predicted", yLabel: "actual", decimals: 0)
  let (png, svg) = try Gnuplot.draw(map.drawing().drawing)
  let found = texts(svg)
  for text in names + names + ["Confusion", "predicted", "actual", "90", "10", "0", "95", "97"] {
    #expect(found.contains(text), "\(text)")
  }
  #expect(found.count { $0 == "Ankle boot" } == 2)
  // Nothing is cut off at the edges.
  let picture = try Picture(png: png)
  for y in 0..<picture.height {
    for x in 0..<picture.width where min(x, y, picture.width - 1 - x, picture.height - 1 - y) < 3 {
      #expect(picture[x, y] == .white, "\(x), \(y)")
    }
  }
}

@Test func numbersStandInTheSquaresOfTheirValues() throws {
  for (rows, columns) in [(2, 5), (4, 3)] {
    let values = (0..<rows * columns).map(Double.init)
    let (drawing, left, top, side) = try HeatMap(Tensor(values, shape: [rows, columns]), decimals: 2).drawing()
    // Lines of a place and a number with two decimals.
    let found = drawing.script.matches(of: /(?m)^([0-9.]+) ([0-9.]+) (\d+\.\d\d)$/)
    #expect(found.count == rows * columns)
    for match in found {
      let number = try #require(Double(match.3))
      let (x, y) = try (#require(Double(match.1)), #require(Double(match.2)))
      let (row, column) = Int(number).quotientAndRemainder(dividingBy: columns)
      #expect(abs(x - Double(left) - (Double(column) + 0.5) * Double(side)) < 1)
      #expect(abs(y - Double(top) - (Double(row) + 0.5) * Double(side)) < 1)
    }
  }
}

@Test func heatMapsRefuseLabelsThatDoNotFit() throws {
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3]), rowLabels: ["a"]) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3]), columnLabels: ["a", "b"]) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([2, 3, 1])) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([0, 3])) }
  #expect(throws: FigureError.self) { try HeatMap(.zeros([1, HeatMap.longestSide + 1])) }
}
