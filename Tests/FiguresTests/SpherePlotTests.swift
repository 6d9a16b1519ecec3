import Foundation
import Testing

@testable import Figures

/// How many pixels have about the colour of full points.
private func dark(_ picture: Picture) -> Int {
  (0..<picture.height).reduce(0) { count, y in
    count + (0..<picture.width).count { picture[$0, y] == Color(0, 114, 178) }
  }
}

private func draw(_ points: [[Double]]) throws -> Picture {
  try Picture(png: Gnuplot.draw(SpherePlot.drawing([SpherePlot(title: "a\nb", points: points)])).png)
}

@Test func placesKeepDistancesAndTellTheSides() throws {
  // Three axes seen from anywhere: the squares of what is seen and of the depth that is not sum to 1 for each, and over
  // the three axes to 1 for each side of the picture.
  let axes: [[Double]] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
  let places = try axes.map(SpherePlot.place)
  #expect(abs(places.reduce(0) { $0 + $1.x * $1.x } - 1) < 1e-12)
  #expect(abs(places.reduce(0) { $0 + $1.y * $1.y } - 1) < 1e-12)
  #expect(abs(places.reduce(0) { $0 + $1.x * $1.y }) < 1e-12)
  for axis in axes {
    let (here, there) = (try SpherePlot.place(of: axis), try SpherePlot.place(of: axis.map { -$0 * 7 }))
    #expect(here.isNear != there.isNear)
    #expect(abs(here.x + there.x) < 1e-12 && abs(here.y + there.y) < 1e-12)
  }
  #expect(places[2].isNear && places[2].y > 0.9, "the pole is above and in sight")
}

@Test(.enabled(if: hasGnuplot)) func pointsOnTheNearSideAreFull() throws {
  let near = [cos(0.5), sin(0.5), 0.4]
  let one = dark(try draw([near]))
  #expect(one > 40)
  #expect(dark(try draw([near.map { -$0 }])) == 0)
  let both = dark(try draw([near, [0, 0, 1], [-1, -1, 0]]))
  #expect(both > one * 3 / 2 && both < one * 5 / 2)
  #expect(dark(try draw([[0, 2], [-1, 0]])) > one, "a circle has no far side")
  #expect(dark(try draw([])) == 0)
}

@Test func whatHasNoDirectionIsRefused() throws {
  for points in [[[0.0, 0, 0]], [[1]], [[1, 2, 3, 4]], [[.nan, 0, 1]], [[.infinity, 0, 1]]] {
    #expect(throws: FigureError.self) { try SpherePlot.drawing([SpherePlot(title: "", points: points)]) }
  }
  #expect(throws: FigureError.self) { try SpherePlot.drawing([]) }
  #expect(throws: FigureError.self) { try SpherePlot.drawing([SpherePlot(title: "", points: [])], columns: 0) }
}
