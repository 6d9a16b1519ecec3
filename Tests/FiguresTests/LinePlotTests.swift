import Foundation
import Testing

@testable import Figures

private let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  .contains { FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot") }

private func falling(_ start: Double) -> [(x: Double, y: Double)] {
  (1...12).map { (Double($0), start * exp(-Double($0))) }
}

private func count(_ color: Color, in picture: Picture) -> Int {
  stride(from: 0, to: picture.pixels.count, by: 3)
    .count { Color(picture.pixels[$0], picture.pixels[$0 + 1], picture.pixels[$0 + 2]) == color }
}

@Test(.enabled(if: hasGnuplot)) func linesAppearInTheirColours() throws {
  let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", falling(1)), .init("b", falling(2))])
  let picture = try Picture(png: LinePlot.png([plot]))
  #expect(count(Color(0x00, 0x72, 0xB2), in: picture) > 100)
  #expect(count(Color(0xD5, 0x5E, 0x00), in: picture) > 100)
  #expect(count(Color(0x00, 0x9E, 0x73), in: picture) == 0)
}

@Test(.enabled(if: hasGnuplot)) func panelsGrowThePicture() throws {
  let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", falling(1))])
  let (one, four) = try (Picture(png: LinePlot.png([plot])), Picture(png: LinePlot.png([plot, plot, plot, plot])))
  #expect(four.height == 2 * one.height && four.width > one.width)
}

@Test(.enabled(if: hasGnuplot)) func oddValuesAndNamesStillMakeAFigure() throws {
  let points: [(x: Double, y: Double)] = [(1, .nan), (2, .infinity), (3, 0), (4, -1), (5, 2), (6, 1e-9)]
  let names = ["it's \"quoted\" \\ $x @y {a_b}^2 %d", "line\nbreak", "", "Łódź 漢", "END"]
  for logY in [false, true] {
    let series = names.map { LinePlot.Series($0, points) } + [.init("none", []), .init("one", [(1, 1)])]
    let plot = LinePlot(title: names[0], xLabel: names[1], yLabel: names[3], series: series, logY: logY)
    let empty = LinePlot(title: "", xLabel: "", yLabel: "", series: [.init("nothing", [(1, .nan)])], logY: logY)
    #expect(throws: Never.self) { try Picture(png: LinePlot.png([plot, empty])) }
  }
}

@Test(.enabled(if: hasGnuplot)) func namesAreNeverRunAsCommands() throws {
  let witness = FileManager.default.temporaryDirectory.appendingPathComponent("ran-\(UUID())")
  for attack in ["`touch \(witness.path)`", "'.system('touch \(witness.path)').'", "x'\n!touch \(witness.path)\n'"] {
    let plot = LinePlot(title: attack, xLabel: attack, yLabel: attack, series: [.init(attack, falling(1))])
    _ = try LinePlot.png([plot])
  }
  #expect(!FileManager.default.fileExists(atPath: witness.path))
}

@Test func valuesThatCannotBeDrawnLeaveAGap() {
  let plot = LinePlot(
    title: "t", xLabel: "x", yLabel: "y", series: [.init("a", [(1, 1), (2, .nan), (3, 0), (4, 4)])], logY: true)
  #expect(LinePlot.script([plot], rows: 1, columns: 1).contains("<< END\n1.0 1.0\n\n\n4.0 4.0\nEND\n"))
}

@Test func aLogarithmicAxisNeedsAPositiveValue() {
  func script(_ values: [Double]) -> String {
    let points = values.enumerated().map { (x: Double($0.offset), y: $0.element) }
    let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", series: [.init("a", points)], logY: true)
    return LinePlot.script([plot], rows: 1, columns: 1)
  }
  #expect(script([0, -1, 3]).contains("\nset logscale y"))
  #expect(!script([0, -1, -3]).contains("\nset logscale y"))
}

@Test func aMissingGnuplotIsNamedWithAdvice() {
  let error = #expect(throws: FigureError.self) {
    try Gnuplot.png("plot x", width: 10, height: 10, searchPath: "/nowhere:/nowhere/else")
  }
  #expect(error?.description.contains("apt-get install gnuplot") == true)
}

@Test(.enabled(if: hasGnuplot)) func whatGnuplotSaysIsPassedOn() {
  let error = #expect(throws: FigureError.self) { try Gnuplot.png("plot nonsense(\n", width: 100, height: 100) }
  #expect(error?.description.hasPrefix("gnuplot could not draw the plot: ") == true)
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
  #expect(curves.panels.map { $0.series.count } == [1, 1, 1])
}

@Test func validationIsDashedBesideItsTraining() {
  let curves = LossCurves(total: [.init("total", training: [(1, 3)], validation: [(1, 4)])])
  #expect(curves.panels[0].series.map(\.isCompanion) == [false, true])
  #expect(curves.panels[0].title.contains("dashed: validation"))
}

@Test(.enabled(if: hasGnuplot)) func lossCurvesBecomeAFile() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("curves-\(UUID()).png")
  defer { try? FileManager.default.removeItem(at: url) }
  try LossCurves(total: [.init("total", training: [(1, 3), (2, 1)])]).write(to: url)
  #expect(try Picture(png: Data(contentsOf: url)).width > 300)
}
