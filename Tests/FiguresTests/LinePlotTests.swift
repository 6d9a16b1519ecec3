import Foundation
import Testing

@testable import Figures

private func png(_ panels: [LinePlot]) throws -> Data { try Gnuplot.draw(LinePlot.drawing(panels)).png }

private func falling(_ start: Double) -> [(x: Double, y: Double)] {
  (1...12).map { (Double($0), start * exp(-Double($0))) }
}

@Test(.enabled(if: hasGnuplot)) func linesAppearInTheirColours() throws {
  let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", falling(1)), .init("b", falling(2))])
  let picture = try Picture(png: png([plot]))
  #expect(count(Color(0x00, 0x72, 0xB2), in: picture) > 100)
  #expect(count(Color(0xD5, 0x5E, 0x00), in: picture) > 100)
  #expect(count(Color(0x00, 0x9E, 0x73), in: picture) == 0)
}

@Test(.enabled(if: hasGnuplot)) func panelsGrowThePicture() throws {
  let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", falling(1))])
  func size(_ count: Int) throws -> (Int, Int) {
    let drawing = try LinePlot.drawing(Array(repeating: plot, count: count), columns: 2)
    let picture = try Picture(png: Gnuplot.draw(drawing).png)
    #expect((picture.width, picture.height) == (drawing.width, drawing.height))
    return (picture.width, picture.height)
  }
  let (one, two, four, six) = try (size(1), size(2), size(4), size(6))
  #expect(two.0 == four.0 && one.0 < two.0)
  #expect(four.1 > two.1 && six.1 - four.1 == four.1 - two.1)
}

@Test(.enabled(if: hasGnuplot)) func oddValuesAndNamesStillMakeAFigure() throws {
  let points: [(x: Double, y: Double)] = [(1, .nan), (2, .infinity), (3, 0), (4, -1), (5, 2), (6, 1e-9)]
  let names = ["it's \"quoted\" \\ $x @y {a_b}^2 %d", "line\nbreak", "", "Łódź 漢", "END"]
  for logY in [false, true] {
    let series = names.map { LinePlot.Series($0, points) } + [.init("none", []), .init("one", [(1, 1)])]
    let plot = LinePlot(title: names[0], xLabel: names[1], yLabel: names[3], series: series, logY: logY)
    let empty = LinePlot(title: "", xLabel: "", yLabel: "", series: [.init("nothing", [(1, .nan)])], logY: logY)
    #expect(throws: Never.self) { try Picture(png: png([plot, empty])) }
  }
}

@Test func valuesThatCannotBeDrawnLeaveAGap() throws {
  let plot = LinePlot(
    title: "t", xLabel: "x", yLabel: "y", series: [.init("a", [(1, 1), (2, .nan), (3, 0), (4, 4)])], logY: true)
  #expect(try LinePlot.drawing([plot]).script.contains("<< END\n1.0 1.0\n\n\n4.0 4.0\nEND\n"))
}

@Test func aLogarithmicAxisNeedsAPositiveValue() throws {
  func script(_ values: [Double]) throws -> String {
    let points = values.enumerated().map { (x: Double($0.offset), y: $0.element) }
    let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", points)], logY: true)
    return try LinePlot.drawing([plot]).script
  }
  #expect(try script([0, -1, 3]).contains("\nset logscale y"))
  #expect(try !script([0, -1, -3]).contains("\nset logscale y"))
}

@Test func aLogarithmicHorizontalAxisMarksThePointsAndBarsHaveRoom() throws {
  let points: [(x: Double, y: Double)] = [(0, 9), (100, 1), (1000, 2), (50000, 3)]
  let plot = LinePlot(
    title: "t", xLabel: "x", yLabel: "y", series: [.init("a", points, spread: [0, 4, .nan, 1])], logX: true)
  let script = try LinePlot.drawing([plot]).script
  #expect(
    script.contains("set logscale x") && script.contains("set xtics ('100' 100.0, '1000' 1000.0, '50000' 50000.0)"))
  #expect(script.contains("<< END\n\n100.0 1.0 4.0\n1000.0 2.0 0.0\n50000.0 3.0 1.0\nEND\n"))
  #expect(script.contains("using 1:2:3 with yerrorbars"))
  // From 1 − 4 to 1 + 4, with six hundredths of that as room.
  #expect(script.contains("set yrange [-3.48:5.48]"))
  let without = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", [(-1, 1), (0, 2)])], logX: true)
  #expect(try !LinePlot.drawing([without]).script.contains("logscale x"))
}

@Test(.enabled(if: hasGnuplot)) func barsAreDrawn() throws {
  let points: [(x: Double, y: Double)] = [(100, 1), (1000, 2)]
  func ink(_ spread: [Double]) throws -> Int {
    let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", points, spread: spread)], logX: true)
    return count(Color(0x00, 0x72, 0xB2), in: try Picture(png: png([plot])))
  }
  #expect(try ink([0.8, 0.8]) > ink([0, 0]) + 100)
}

@Test func aMissingGnuplotIsNamedWithAdvice() {
  let error = #expect(throws: FigureError.self) {
    try Gnuplot.draw(Drawing(under: Layer(width: 10, height: 10)), searchPath: "/nowhere:/nowhere/else")
  }
  #expect(error?.description.contains("apt-get install gnuplot") == true)
}

@Test(.enabled(if: hasGnuplot)) func whatGnuplotSaysIsPassedOn() {
  var drawing = Drawing(under: Layer(width: 100, height: 100))
  drawing.script = "plot nonsense(\n"
  let error = #expect(throws: FigureError.self) { try Gnuplot.draw(drawing) }
  #expect(error?.description.hasPrefix("gnuplot could not draw the figure: ") == true)
}

@Test func nothingToPlotIsRefused() {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("none.png")
  #expect(throws: FigureError.self) { try LinePlot.write([], to: url) }
  #expect(throws: FigureError.self) { try LossCurves(total: []).write(to: url) }
  #expect(throws: FigureError.self) { try LossCurves(total: [.init("total")]).write(to: url) }
}

@Test func lossesOfManySizesGetALogarithmicAxis() {
  let curves = LossCurves(
    total: [.init("total", training: [(1, 100), (2, 1)])], terms: [.init("mse", training: [(1, 2), (2, 1)])],
    metrics: [.init("accuracy", validation: [(1, 0.001), (2, 0.9)])])
  #expect(curves.panels.map(\.logY) == [true, false, false])
  #expect(curves.panels.map(\.title) == ["total", "mse", "accuracy"], "each quantity has an axis of its own")
}

@Test(.enabled(if: hasGnuplot)) func linesOfOneNameLookTheSameInAllPanels() throws {
  let curves = LossCurves(
    total: [.init("total", training: [(1, 3), (2, 1)], validation: [(1, 4), (2, 2)])],
    metrics: [.init("accuracy", validation: [(1, 0.5), (2, 0.7)])])
  let drawing = try LinePlot.drawing(curves.panels)
  let styles = drawing.script.split(separator: "\n").flatMap { $0.split(separator: ",\\") }
  func look(_ name: String) -> String? {
    styles.first { $0.contains(name) && $0.contains("with linespoints") }?.split(separator: "with").last.map(
      String.init)
  }
  // The panel of the metric has the validation curve alone, which keeps its colour, mark and dashes.
  let (beside, alone) = (try #require(look("$panel0line1 using")), try #require(look("$panel1line0 using")))
  #expect(beside.trimmingCharacters(in: [",", "\\", " "]) == alone.trimmingCharacters(in: [",", "\\", " "]))
  #expect(try #require(look("$panel0line0 using")) != beside)
  // One legend for all.
  let named = texts(try Gnuplot.draw(drawing).svg)
  #expect(["training", "validation"].allSatisfy { name in named.count { $0 == name } == 1 })
  #expect(named.contains("total") && named.contains("accuracy"))
}

@Test(.enabled(if: hasGnuplot)) func lossCurvesBecomeAFile() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("curves-\(UUID()).png")
  let svg = FigureFiles(url).svg
  defer { for file in [url, svg] { try? FileManager.default.removeItem(at: file) } }
  try LossCurves(total: [.init("total", training: [(1, 3), (2, 1)])]).write(to: url)
  #expect(try Picture(png: Data(contentsOf: url)).width > 300)
  #expect(texts(try Data(contentsOf: svg)).contains("total"))
}

@Test func panelsFillTheirRowsEvenly() {
  for most in 1...4 {
    for count in 1...20 {
      let columns = balanced(count, atMost: most)
      let (rows, fewest) = ((count + columns - 1) / columns, (count + most - 1) / most)
      #expect(columns <= most && rows == fewest)
      #expect(rows * columns - count < rows, "no more than one place of each row is blank")
    }
  }
}
