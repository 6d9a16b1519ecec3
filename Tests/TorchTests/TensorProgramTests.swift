import Foundation
import Testing
import Torch

private func program(
  _ weights: [(name: String, tensor: Tensor)] = [], _ body: ([Tensor]) throws -> [Tensor]
) throws -> TensorProgram {
  try TensorProgram(
    weights: weights,
    inputs: { size in
      var generator = try Generator(seed: UInt64(size))
      return [("inputs", try generator.normal([size, 6]))]
    }, body)
}

private func refusal(_ body: ([Tensor]) throws -> [Tensor]) -> String {
  do { _ = try program([], body) } catch { return "\(error)" }
  return "none"
}

@Test func operationsAreWrittenAsPyTorchHasThem() throws {
  let weight = try draws([4, 6], seed: 1, dtype: .float32)
  let found = try program([("w[\"a.weight\"]", weight)]) { [try $0[0].linear(weight, bias: nil).relu() * 0.5] }
  #expect(
    found.statements == [
      "x1 = aten.linear(inputs, w[\"a.weight\"], None)", "x2 = aten.relu(x1)", "x3 = aten.mul.Scalar(x2, 0.5)",
    ] || found.statements.last == "x3 = aten.mul.Tensor(x2, 0.5)", "\(found.statements)")
  #expect(found.results == ["x3"])
  #expect(!found.usesBatch)
}

@Test func numbersThatFollowTheBatchAreWrittenByItsSize() throws {
  let found = try program([]) { [try $0[0].reshaped([$0[0].size(0) * 2, 3])] }
  #expect(found.statements.count == 1 && found.statements[0].contains("[batch * 2, 3]"), "\(found.statements)")
  #expect(found.usesBatch)
}

@Test func whatIsNotUsedIsLeftOut() throws {
  let found = try program([]) { given in
    _ = try given[0].square().sum()
    return [try given[0].sigmoid()]
  }
  #expect(found.statements == ["x3 = aten.sigmoid(inputs)"])
}

@Test func batchNormalisationIsOneOperationAndComputesAsBefore() throws {
  let scope = try Scope(path: "norm")
  let norm = try BatchNorm(6, relu: true, in: scope)
  try norm.runningMean.copyInPlace(draws([6], seed: 2, dtype: .float32))
  var outputs: [Tensor] = []
  let weights = scope.store.parameters.map { ("w[\"\($0.name)\"]", $0.tensor) }
  let found = try withoutGradients {
    try program(weights) { given in
      outputs = [try norm(given[0])]
      return outputs
    }
  }
  #expect(found.statements.count == 2)
  #expect(found.statements.first?.hasPrefix("x1 = aten.batch_norm(inputs, w[\"norm.weight\"]") == true)
  var generator = try Generator(seed: 12)
  let fused = try withoutGradients { try norm(generator.normal([12, 6])) }
  #expect(try (fused - outputs[0]).abs().max().item() < 1e-5)
}

@Test func whatCannotBeWrittenDownIsRefused() throws {
  #expect(refusal { [try $0[0] * $0[0].sum().item()] }.contains("depend on the inputs' values"))
  var generator = try Generator(seed: 1)
  #expect(refusal { [try $0[0] + generator.normal([1])] }.contains("draws random numbers"))
  #expect(
    refusal { given in [try given[0].slice(0..<(given[0].size(0) / 2))] }.contains("depend on the inputs' values"))
  #expect(refusal { [try $0[0] + Tensor.full([6], 1).reshaped([2, 4])] } != "none")
  // A recording that failed leaves nothing behind.
  #expect(refusal { [try $0[0].relu()] } == "none")
}
