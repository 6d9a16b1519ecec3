import LatentKit
import Testing
import __Name__

@Test func scoresAreLinearInTheLatents() throws {
  let classifier = try __Name__Classifier(.init(), in: context(latent: 3))
  let points: [[Double]] = [[0, 0, 0], [1, -1, 0.5], [2, 0.5, -1], [3, -0.5, -0.5]]
  let latents = try Tensor(points.flatMap { $0 }, shape: [4, 3])
  let scores = try rows(classifier.scores(LatentBatch(latents)))
  #expect(scores.map(\.count) == [2, 2, 2, 2])
  for k in 0..<2 {
    // f(a + b) + f(0) = f(a) + f(b)
    #expect(abs(scores[3][k] + scores[0][k] - scores[1][k] - scores[2][k]) < 1e-12)
  }
  #expect(scores[1] != scores[0])
}
