import Foundation
import Testing

@testable import Figures

private func png(_ panels: [ScatterPlot]) throws -> Data { try Gnuplot.draw(ScatterPlot.drawing(panels)).png }

private func plot(_ groups: [ScatterPlot.Group]) -> ScatterPlot {
  ScatterPlot(title: "t", xLabel: "x", yLabel: "y", groups: groups)
}

private func cloud(_ x: Double) -> [(x: Double, y: Double)] { (0..<30).map { (x + sin(Double($0)), cos(Double($0))) } }

@Test(.enabled(if: hasGnuplot)) func eachGroupHasItsColour() throws {
  let picture = try Picture(png: png([plot([.init("a", cloud(0)), .init("b", []), .init("c", cloud(5))])]))
  #expect(count(Color(0x00, 0x72, 0xB2), in: picture) > 100)
  #expect(
    count(Color(0xD5, 0x5E, 0x00), in: picture) < 30,
    "an empty group keeps its colour for itself: its mark in the legend")
  #expect(count(Color(0x00, 0x9E, 0x73), in: picture) > 60)
}

@Test(.enabled(if: hasGnuplot)) func backgroundLiesBeneathTheGroupsAndIsGrey() throws {
  // The same places twice: what is drawn last hides the other, whatever order the groups have.
  let picture = try Picture(png: png([plot([.init("a", cloud(0)), .init("none", cloud(0), isBackground: true)])]))
  #expect(count(Color(0x00, 0x72, 0xB2), in: picture) > 100)
  let alone = try Picture(png: png([plot([.init("a", []), .init("none", cloud(0), isBackground: true)])]))
  #expect(count(Color(0xC8, 0xC8, 0xC8), in: alone) > 100 + count(Color(0xC8, 0xC8, 0xC8), in: picture))
}

@Test(.enabled(if: hasGnuplot)) func panelsShareTheirAxes() throws {
  // Alone, the small cloud fills its panel; beside a wide one, it takes a few pixels of it.
  let (small, wide) = (plot([.init("a", cloud(0))]), plot([.init("", [(x: -500, y: -500), (x: 500, y: 500)])]))
  let (alone, together) = (try ScatterPlot.drawing([small]).script, try ScatterPlot.drawing([small, wide]).script)
  #expect(alone.contains("set xrange [-1.0"))
  #expect(together.components(separatedBy: "set xrange [-540.0:540.0]").count == 3)
  #expect(try Picture(png: png([small, wide])).width > Picture(png: png([small])).width)
}

@Test(.enabled(if: hasGnuplot)) func pointsThatAreNoNumbersAreLeftOut() throws {
  let odd = plot([.init("it's \"x\" $y", [(x: .nan, y: 1), (x: .infinity, y: 2), (x: 1, y: 2)]), .init("", [])])
  #expect(throws: Never.self) { try Picture(png: png([odd, plot([])])) }
  #expect(throws: FigureError.self) { try png([]) }
}

@Test(.enabled(if: hasGnuplot)) func fortyClassesLookDifferentAndAllAreNamed() throws {
  let looks = (0..<40).map { "\(Style.look($0))" }
  #expect(Set(looks).count == 40)
  let groups = (0..<40).map { ScatterPlot.Group("class number \($0)", cloud(Double($0))) }
  let (png, svg) = try Gnuplot.draw(ScatterPlot.drawing([plot(groups), plot(groups)]))
  #expect(groups.allSatisfy { group in texts(svg).count { $0 == group.name } == 1 })
  let picture = try Picture(png: png)
  #expect((0..<picture.height).allSatisfy { picture[picture.width - 2, $0] == .white })
}
