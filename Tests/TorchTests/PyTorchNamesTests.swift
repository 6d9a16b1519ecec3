import Foundation
import Testing
import Torch

/// The expressions of `Docs/tensors.md`: compiled, and evaluated.
@Test func expressionsOfTheGuideCanBeEvaluated() throws {
  var generator = try Generator(seed: 1)
  let x = try generator.normal([2, 3]).requiringGradient()
  let (y, weight, centroids) = try (generator.normal([2, 3]), generator.normal([4, 3]), generator.normal([2, 3]))
  let labels = try Tensor([1, 0] as [Int64])
  _ = try Tensor([1, 2] as [Float])
  _ = try Tensor.zeros([2, 3])
  _ = try Tensor.full([2, 3], 7)
  _ = try Tensor.range(0, 5)
  _ = try Tensor.identity(3)
  _ = x.shape
  _ = x.rank
  _ = x.count
  _ = try x.size(0)
  _ = try x.sum().item()
  _ = try x.doubles()
  _ = try x.to(.float64)
  _ = try x.to(y.device)
  _ = try x + y
  _ = try x * 2
  _ = try x / y
  _ = try x * -1
  _ = try x.matmul(y.transposed())
  _ = try x.abs()
  _ = try x.exp()
  _ = try x.square()
  _ = try x.abs().pow(1.5)
  _ = try x.square().log1p()
  _ = try x.abs().sqrt()
  _ = try x.sigmoid()
  _ = try x.softplus()
  _ = try x.softmax(axis: 1)
  _ = try x.logSoftmax(axis: 1)
  _ = try x.clamped(0, 1)
  _ = try x.clamped(0)
  _ = try x.maximum(y)
  _ = try x.sum()
  _ = try x.sum(axis: 1)
  _ = try x.sum(axis: 1, keep: true)
  _ = try x.mean(axis: 0)
  _ = try x.variance(axes: [0])
  _ = try x.variance(axes: [0], unbiased: false)
  _ = try x.square().sum(axis: 1).sqrt()
  _ = try x.max(axis: 1)
  _ = try x.argmax(axis: 1)
  _ = try x.logSumExp(axis: 1)
  _ = try x.cumulativeSum(axis: 1)
  _ = try x .< y
  _ = try x .== 0
  _ = try (x .< y).choose(x, y)
  _ = try x.filled(with: 0, where: x .< 0)
  _ = try x.reshaped([3, 2])
  _ = try x.flattened()
  _ = try x.unsqueezed(1)
  _ = try x.transposed()
  _ = try x.permuted([1, 0])
  _ = try x.select(0)
  _ = try x.select(1, axis: 1)
  _ = try x.slice(0..<1)
  _ = try centroids.rows(labels)
  _ = try x.gathered(labels.unsqueezed(1), axis: 1)
  _ = try Tensor.concatenate([x, y], axis: 1)
  _ = try Tensor.stack([x, y])
  _ = try x.distances(to: y)
  _ = try labels.oneHot(10)
  _ = try x.linear(weight)
  _ = try x.crossEntropy(labels)
  _ = try x.squaredError(y)
  _ = try x.huberError(y, .none)
  _ = try generator.normal([2, 3])
  _ = try generator.uniform([2, 3])
  _ = try generator.integers(0..<9, [2])
  _ = try generator.permutation(5)
  _ = try x.square().sum().gradients(by: [x])
  _ = try x.detached()
  _ = try withoutGradients { try x.exp() }
}

@Test func theyAreThoseOfThePage() throws {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  let page = try String(contentsOf: folder.appendingPathComponent("../../Docs/tensors.md"), encoding: .utf8)
  let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
  let rows = page.matches(of: /\n\| `.*` \| (`.*`) \|(?=\n)/).map { String($0.1) }
  let expressions = rows.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.1) } }
  #expect(expressions.count > 60)
  for expression in expressions {
    #expect(["try ", ""].contains { source.contains("  _ = \($0)\(expression)\n") }, "\(expression)")
  }
}
