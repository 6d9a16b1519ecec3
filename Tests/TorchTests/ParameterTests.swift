import Testing
import Torch

@Test func namesFollowTheTreeOfScopes() throws {
  let scope = try Scope(path: "encoder")
  _ = try ResidualBlock(2, 4, stride: 2, in: scope("block1"))
  _ = try Linear(3, 2, in: scope("head"))
  let names = scope.store.parameters.map(\.name)
  #expect(names.contains("encoder.block1.conv1.weight"))
  #expect(names.contains("encoder.block1.shortcut.norm.runningVariance"))
  #expect(names.suffix(2) == ["encoder.head.weight", "encoder.head.bias"])
  #expect(Set(names).count == names.count)
}

@Test func parametersAreFoundBelowTheirScopeOnly() throws {
  let root = try Scope(path: "")
  for name in ["encoder", "encoder2", "decoder"] { _ = try Linear(2, 2, in: root(name)) }
  #expect(root.store.parameters(under: "encoder").map(\.name) == ["encoder.weight", "encoder.bias"])
  #expect(root.store.parameters(under: "encoder.weight").count == 1)
  #expect(root.store.parameters(under: "enc").isEmpty)
}

@Test func aNameIsTakenOnce() throws {
  let scope = try Scope(path: "encoder")
  _ = try scope.parameter("weight", [2], .constant(0))
  let error = #expect(throws: TensorError.self) { try scope.parameter("weight", [3], .constant(0)) }
  #expect(error?.description.contains("'encoder.weight'") == true)
  #expect(throws: TensorError.self) { try scope.buffer("weight", .zeros([1])) }
  #expect(scope.store.parameters.count == 1)
}

@Test func weightsAreTrainedAndBuffersAreNot() throws {
  let scope = try Scope(path: "norm")
  _ = try BatchNorm(3, in: scope)
  for parameter in scope.store.parameters {
    #expect(parameter.tensor.requiresGradient == (parameter.role == .weight))
    #expect((parameter.role == .buffer) == parameter.name.contains("running"))
  }
}

@Test func aStartDependsOnItsOwnNameAndSeedAlone() throws {
  func start(seed: UInt64, name: String = "encoder", others: Int = 0) throws -> [Float] {
    let root = try Scope(path: "", seed: seed)
    for index in 0..<others { _ = try Linear(7, 5, in: root("other\(index)")) }
    return try Linear(4, 3, in: root(name)).weight.floats()
  }
  let expected = try start(seed: 1)
  #expect(try start(seed: 1, others: 3) == expected)
  #expect(try start(seed: 2) != expected)
  #expect(try start(seed: 1, name: "decoder") != expected)
}

@Test func startsHaveTheirSpread() throws {
  let scope = try Scope(path: "", dtype: .float64)
  let uniform = try Linear(400, 300, in: scope("a")).weight
  // Uniform within ±b has variance b²/3; here b = 1/20.
  #expect(try uniform.abs().max().item() <= 0.05)
  #expect(try abs(uniform.variance().item() / (0.0025 / 3) - 1) < 0.02)
  let he = try scope.parameter("he", [300, 400], .heNormal(inputs: 400))
  #expect(try abs(he.variance().item() / (2.0 / 400) - 1) < 0.03)
  let normal = try scope.parameter("normal", [300, 400], .normal(mean: 2, deviation: 0.1))
  #expect(try abs(normal.mean().item() - 2) < 0.002 && abs(normal.variance().item() / 0.01 - 1) < 0.03)
}

@Test func partsOfAScopeShareItsModeAndType() throws {
  let scope = try Scope(path: "", dtype: .float64)
  let (a, b) = try (Dropout(0.5, in: scope("a")), Dropout(0.5, in: scope("b.c")))
  let ones = try Tensor.ones([100], dtype: .float64)
  #expect(try a(ones).doubles() == ones.doubles())
  scope.mode.isTraining = true
  #expect(try a(ones).doubles() != ones.doubles() && b(ones).doubles() != ones.doubles())
  #expect(try Linear(2, 2, in: scope("d")).weight.dtype == .float64)
  #expect(try scope.buffer("count", Tensor([Int64(3)])).dtype == .int64)
}

@Test func dropoutDrawsFromTheModesGenerator() throws {
  let scope = try Scope(path: "")
  scope.mode.isTraining = true
  let layer = try Dropout(0.5, in: scope)
  let state = try scope.mode.generator.state
  let first = try layer(.ones([100])).floats()
  #expect(try layer(.ones([100])).floats() != first)
  try scope.mode.generator.restore(state)
  #expect(try layer(.ones([100])).floats() == first)
}
