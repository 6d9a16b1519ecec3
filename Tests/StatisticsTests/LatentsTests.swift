import LatentKit
import Statistics
import Testing

@Test func momentsAgreeWithLoops() throws {
  let rows: [[Double]] = [[1, 5], [2, 3], [4, 4], [7, -2]]
  let moments = try Moments(of: Tensor(rows.flatMap { $0 }, shape: [4, 2]))
  let mean = (0..<2).map { axis in rows.reduce(0) { $0 + $1[axis] } / 4 }
  #expect(try moments.mean.doubles() == mean)
  for a in 0..<2 {
    for b in 0..<2 {
      let expected = rows.reduce(0) { $0 + ($1[a] - mean[a]) * ($1[b] - mean[b]) } / 3
      #expect(abs(try moments.covariance.doubles()[2 * a + b] - expected) < 1e-12)
    }
  }
  #expect(try !moments.isPoint)
}

@Test func equalRowsAreAPoint() throws {
  // 0.1 three times has a mean that rounds: the covariance must be zero all the same.
  #expect(try Moments(of: .full([3, 2], 0.1, dtype: .float64)).isPoint)
  #expect(try Moments(of: .full([1, 2], 0.1)).isPoint)
  #expect(throws: TensorError.self) { try Moments(of: .zeros([0, 2])) }
}

@Test func nearestMeanAgreesWithALoopOverDistances() throws {
  var generator = try Generator(seed: 1)
  let means = try generator.normal([7, 3], dtype: .float64)
  let latents = try generator.normal([200, 3], dtype: .float64)
  let expected = try (0..<200).map { row in
    let z = try latents.select(row).doubles()
    let distances = try (0..<7).map { label in
      try zip(z, means.select(label).doubles()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    return distances.indices.min { distances[$0] < distances[$1] } ?? -1
  }
  let found = try NearestMean(means).classes(of: latents)
  #expect(try found.ints() == expected)

  let labels = try Tensor(expected.enumerated().map { Int64($0.offset % 4 == 0 ? ($0.element + 1) % 7 : $0.element) })
  #expect(try NearestMean(means).accuracy(latents, labels: labels) == 0.75)
}

@Test func aClassWithoutMeanIsNeverChosen() throws {
  let means = try Tensor([Double.nan, .nan, 5, 5], shape: [2, 2])
  #expect(try NearestMean(means).classes(of: .zeros([3, 2], dtype: .float64)).ints() == [1, 1, 1])
}

private struct NoPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

private func request(_ wanted: [Int64]?, count: Int, of reference: LatentSet?) throws -> DrawRequest {
  DrawRequest(
    labels: try wanted.map { try Tensor($0) }, count: count, latentSize: 2, prior: NoPrior(), reference: reference)
}

@Test func requestsByClassPutDrawsWhereTheyWereAsked() throws {
  let latents = try Tensor((0..<12).map(Double.init), shape: [6, 2])
  let reference = LatentSet(latents: latents, labels: try Tensor([2, 0, 2, 1, 0, 2] as [Int64]))
  var generator = try Generator(seed: 1)
  let parts = try request([2, 0, 0, 2], count: 4, of: reference).byClass(for: "test", using: &generator)
  #expect(parts.map(\.label) == [0, 2])
  #expect(parts.map(\.count) == [2, 2])
  #expect(try parts[1].training.doubles() == [0, 1, 4, 5, 10, 11])
  let merged = try ClassRequest.merge(
    [Tensor([10.0, 11], shape: [2, 1]), Tensor([20.0, 21], shape: [2, 1])], of: parts)
  #expect(try merged.doubles() == [20, 10, 11, 21])
}

@Test func requestsWithoutClassesFollowTheTrainingFrequencies() throws {
  let labels = try Tensor((0..<100).map { Int64($0 < 80 ? 0 : 1) })
  let reference = LatentSet(latents: try .zeros([100, 2]), labels: labels)
  var generator = try Generator(seed: 2)
  let parts = try request(nil, count: 2000, of: reference).byClass(for: "test", using: &generator)
  // Binomial with deviation 18.
  #expect(abs(parts[0].count - 1600) < 90 && parts[0].count + parts[1].count == 2000)

  let unlabelled = try request(nil, count: 5, of: LatentSet(latents: .zeros([9, 2]), labels: nil))
  let one = try unlabelled.byClass(for: "test", using: &generator)
  #expect(try one.count == 1 && one[0].count == 5 && one[0].training.size(0) == 9)
}

@Test func requestsByClassLeaveOutLatentsWhoseLabelIsHidden() throws {
  let latents = try Tensor((0..<12).map(Double.init), shape: [6, 2])
  // Hidden labels stand as 0.
  let reference = LatentSet(
    latents: latents, labels: try Tensor([0, 0, 1, 0, 0, 1] as [Int64]),
    labelled: try Tensor([0.0, 1, 1, 0, 1, 1]) .> 0.5)
  var generator = try Generator(seed: 1)
  let parts = try request([1, 0], count: 2, of: reference).byClass(for: "test", using: &generator)
  #expect(try parts.map { try $0.training.doubles() } == [[2, 3, 8, 9], [4, 5, 10, 11]])
  let free = try request(nil, count: 300, of: reference).byClass(for: "test", using: &generator)
  // Half of the known labels each; counted with the hidden ones it would be a third. Five deviations of 9.
  #expect(abs(free[1].count - 150) < 44 && free[0].count + free[1].count == 300)
}

@Test func requestsThatCannotBeMetSayWhy() throws {
  var generator = try Generator(seed: 3)
  let labels = try Tensor([0, 0] as [Int64])
  func message(_ request: DrawRequest) -> String {
    do { _ = try request.byClass(for: "mh", using: &generator) } catch { return "\(error)" }
    return "nothing thrown"
  }
  #expect(try message(request([0], count: 1, of: nil)).contains("train the encoder first"))
  #expect(
    try message(request([3], count: 1, of: LatentSet(latents: .zeros([2, 2]), labels: labels)))
      == "sampler 'mh' has no training latents of class 3 to learn from; ask for classes that the data have")
  #expect(
    try message(request([0], count: 1, of: LatentSet(latents: .zeros([2, 2]), labels: nil))).contains("have no labels"))
  #expect(
    try message(request([0], count: 1, of: LatentSet(latents: .full([2, 2], .nan), labels: labels))).contains(
      "not finite"))
}
