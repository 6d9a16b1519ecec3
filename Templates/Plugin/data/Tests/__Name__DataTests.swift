import Datasets
import LatentKit
import Testing
import __Name__

@Test func theRingsHaveTheirRadii() throws {
  let data = try __Name__Data.entry.load(["perClass": 50, "spread": 0.0])
  #expect(data.train.inputs.shape == [100, 2] && data.classNames == ["inner", "outer"])
  let labels = try #require(data.train.labels).ints()
  for (point, label) in zip(try rows(data.train.inputs), labels) {
    #expect(abs((point[0] * point[0] + point[1] * point[1]).squareRoot() - Double(label + 1)) < 1e-5)
  }
}

@Test func aSeedDeterminesThePoints() throws {
  let points = try [1, 1, 2].map { try __Name__Data.entry.load(seed: $0).train.inputs.doubles() }
  #expect(points[0] == points[1] && points[0] != points[2])
}
