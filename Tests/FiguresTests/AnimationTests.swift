import Foundation
import Testing

@testable import Figures

private func frame(_ gray: UInt8, width: Int = 5) throws -> Data {
  try Picture(width: width, height: 4, color: Color(gray: gray)).png()
}

@Test func animationsHoldTheirFramesInOrder() throws {
  let frames = try [0, 100, 200].map { try frame($0) }
  let file = try Animation.png(frames, seconds: 0.5)
  let chunks = try Animation.chunks(file)
  #expect(chunks.map(\.type) == ["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"])
  #expect(chunks[1].body == Data([0, 0, 0, 3, 0, 0, 0, 0]))
  // Sequence numbers run through; the data behind them are the frame's own.
  let numbers = chunks.filter { ["fcTL", "fdAT"].contains($0.type) }.map { $0.body[3] }
  #expect(numbers == [0, 1, 2, 3, 4])
  #expect(chunks[2].body[20..<24] == Data([0, 50, 0, 100]))
  for (place, frame) in [(5, frames[1]), (7, frames[2])] {
    let own = try #require(Animation.chunks(frame).first { $0.type == "IDAT" })
    #expect(chunks[place].body.dropFirst(4) == own.body)
  }
  // A program that knows still pictures only reads the first, and finds its check sums right.
  #expect(try Picture(png: file) == Picture(png: frames[0]))
}

@Test func checksumsAreThoseOfPNG() {
  #expect(Animation.checksum(Data("IEND".utf8)) == 0xAE42_6082)
}

@Test func framesThatDoNotFitAreRefused() throws {
  #expect(throws: FigureError.self) { try Animation.png([], seconds: 1) }
  #expect(throws: FigureError.self) { try Animation.png([Data("no picture".utf8)], seconds: 1) }
  #expect(throws: FigureError.self) { try Animation.png([frame(0), frame(0, width: 6)], seconds: 1) }
  #expect(throws: FigureError.self) { try Animation.png([frame(0).dropLast(3)], seconds: 1) }
}

@Test(.enabled(if: hasGnuplot)) func framesOfPlotsShareTheirAxes() throws {
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("animation-\(UUID().uuidString).png")
  defer { try? FileManager.default.removeItem(at: scratch) }
  func plot(_ x: Double) -> ScatterPlot {
    ScatterPlot(title: "t", xLabel: "x", yLabel: "y", groups: [.init("a", [(x, 0), (x + 1, 1)])])
  }
  try ScatterPlot.animate([plot(0), plot(99)], to: scratch)
  let chunks = try Animation.chunks(Data(contentsOf: scratch))
  #expect(chunks.count { $0.type == "fcTL" } == 2)
  let script = try ScatterPlot.drawing([plot(0)], spanning: [(x: 99, y: 0), (x: 100, y: 1)]).script
  #expect(script.contains("set xrange [-4.0:104.0]"))
}

@Test func panelsStandInRows() throws {
  let panels = (0..<5).map {
    ScatterPlot(title: "\($0)", xLabel: "x", yLabel: "y", groups: [.init("a", [(0, 0), (1, 1)])])
  }
  let (row, grid) = (try ScatterPlot.drawing(panels), try ScatterPlot.drawing(panels, columns: 3))
  #expect(grid.height == 2 * row.height && grid.width < row.width)
}
