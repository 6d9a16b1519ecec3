import Foundation
import Testing
import Torch

@Test func valuesComeBackInRowMajorOrder() throws {
  let values: [Float] = [1, 2, 3, 4, 5, 6]
  let tensor = try Tensor(values, shape: [2, 3])
  #expect(try tensor.array(Float.self) == values)
  #expect(try tensor.transposed().floats() == [1, 4, 2, 5, 3, 6])
  #expect(try tensor.select(1, axis: 1).floats() == [2, 5])
  let images = try Tensor((0..<48).map(Double.init), shape: [2, 3, 2, 4])
  #expect(try images.channelsLast().doubles() == images.doubles())
  #expect(try images.channelsLast().bytes() == images.bytes())
}

@Test func everyTypeKeepsItsExtremes() throws {
  #expect(try Tensor([Int64.min, .max, -1]).array(Int64.self) == [.min, .max, -1])
  #expect(try Tensor([UInt8(0), 255]).array(UInt8.self) == [0, 255])
  #expect(try Tensor([true, false]).array(Bool.self) == [true, false])
  #expect(
    try Tensor([Double.leastNonzeroMagnitude, .infinity]).array(Double.self) == [.leastNonzeroMagnitude, .infinity])
  #expect(try Tensor([Float.greatestFiniteMagnitude]).array(Float.self) == [.greatestFiniteMagnitude])
  #expect(try Tensor([Float.nan]).floats()[0].isNaN)
}

@Test func bytesAndValuesAgree() throws {
  for dtype in DType.allCases {
    let tensor = try Tensor([0.0, 1, 1, 0, 1, 1]).to(dtype).reshaped([3, 2])
    let bytes = try tensor.bytes()
    #expect(bytes.count == 6 * dtype.byteCount)
    let again = try Tensor(bytes: bytes, shape: [3, 2], dtype: dtype)
    #expect(again.dtype == dtype)
    #expect(try again.doubles() == [0, 1, 1, 0, 1, 1])
  }
}

@Test func emptyAndScalarTensorsWork() throws {
  let empty = try Tensor([Float](), shape: [0, 3])
  #expect(empty.shape == [0, 3] && empty.count == 0)
  #expect(try empty.floats() == [] && empty.bytes().isEmpty)
  #expect(try empty.sum().item() == 0)
  let scalar = try Tensor([7.5], shape: [])
  #expect(scalar.shape == [] && scalar.rank == 0)
  #expect(try scalar.item() == 7.5)
}

@Test func constructorsGiveWhatTheySay() throws {
  #expect(try Tensor.full([2, 2], 3, dtype: .uint8).array(UInt8.self) == [3, 3, 3, 3])
  #expect(try Tensor.range(2, 6).ints() == [2, 3, 4, 5])
  #expect(try Tensor.linspace(0, 1, count: 5).floats() == [0, 0.25, 0.5, 0.75, 1])
  #expect(try Tensor.identity(2).floats() == [1, 0, 0, 1])
  #expect(try Tensor.ones([2], dtype: .bool).array(Bool.self) == [true, true])
  #expect(try Tensor([1.0, 2]).filled(with: 9).doubles() == [9, 9])
}

@Test func shapesBroadcastAsInPyTorch() throws {
  let (column, row) = try (Tensor([1.0, 2, 3], shape: [3, 1]), Tensor([10.0, 20]))
  #expect(try (column + row).doubles() == [11, 21, 12, 22, 13, 23])
  #expect(try (column * row).shape == [3, 2])
}

@Test func comparisonsAndLogicAreBool() throws {
  let x = try Tensor([1.0, 2, 3])
  #expect(try (x .> 1.5).array(Bool.self) == [false, true, true])
  #expect(try ((x .>= 2).and(x .!= 3)).array(Bool.self) == [false, true, false])
  #expect(try ((x .< 2).or(x .== 3)).array(Bool.self) == [true, false, true])
  #expect(try (x .<= 2).not().array(Bool.self) == [false, false, true])
  #expect(try (x .== x).all() && !(x .!= x).any())
}

@Test func clampingTakesOpenEnds() throws {
  let x = try Tensor([-2.0, 0.5, 3])
  #expect(try x.clamped(0, 1).doubles() == [0, 0.5, 1])
  #expect(try x.clamped(0).doubles() == [0, 0.5, 3])
  #expect(try x.clamped(-.infinity, 1).doubles() == [-2, 0.5, 1])
  #expect(try x.clamped().doubles() == [-2, 0.5, 3])
}

@Test func reductionsMatchTheirLoops() throws {
  let x = try draws([3, 4], seed: 1)
  let values = try x.doubles()
  let rows = (0..<3).map { Array(values[($0 * 4)..<($0 * 4 + 4)]) }
  #expect(try maximumDifference(x.sum(axis: 1).doubles(), rows.map { $0.reduce(0, +) }) < 1e-12)
  #expect(try maximumDifference(x.mean(axis: -1).doubles(), rows.map { $0.reduce(0, +) / 4 }) < 1e-12)
  #expect(try x.max(axis: 1).doubles() == rows.compactMap { $0.max() })
  #expect(try x.min(axis: 1, keep: true).shape == [3, 1])
  #expect(try maximumDifference([x.sum().item()], [values.reduce(0, +)]) < 1e-12)
  let mean = values.reduce(0, +) / 12
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  #expect(try maximumDifference([x.variance().item()], [variance / 11]) < 1e-12)
  #expect(try maximumDifference([x.variance(unbiased: false).item()], [variance / 12]) < 1e-12)
  #expect(try x.argmax(axis: 1).ints() == rows.map { row in row.indices.max { row[$0] < row[$1] } ?? -1 })
  #expect(try x.argmin(axis: 1).ints() == rows.map { row in row.indices.min { row[$0] < row[$1] } ?? -1 })
}

@Test func sortingKeepsTheOrderOfEqualValues() throws {
  let x = try Tensor([3.0, 1, 3, 2, 1])
  let (values, indices) = try x.sorted()
  #expect(try values.doubles() == [1, 1, 2, 3, 3] && indices.ints() == [1, 4, 3, 0, 2])
  #expect(try x.sorted(descending: true).indices.ints() == [0, 2, 3, 1, 4])
}

@Test func choicesTakeWhatIsNamed() throws {
  let x = try Tensor((0..<12).map(Double.init), shape: [3, 4])
  #expect(try x.rows([2, 0, 2]).doubles() == [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11])
  #expect(try x.slice(1..<3, axis: 1).doubles() == [1, 2, 5, 6, 9, 10])
  #expect(try x.gathered(Tensor([Int64(3), 0, 1], shape: [3, 1]), axis: 1).doubles() == [3, 4, 9])
  #expect(try Tensor([Int64(1), 0]).oneHot(3).ints() == [0, 1, 0, 1, 0, 0])
  #expect(try (x .> 9).nonzero().ints() == [2, 2, 2, 3])
  #expect(
    try x.addingRows(Tensor([Int64(1), 1]), .ones([2, 4], dtype: .float64)).select(1).doubles() == [6, 7, 8, 9])
  #expect(try Tensor.ones([1, 1, 1, 1]).padded(1, value: 5).floats() == [5, 5, 5, 5, 1, 5, 5, 5, 5])
}

@Test func flatteningJoinsTheLastAxes() throws {
  let x = try Tensor.zeros([2, 3, 4])
  #expect(try x.flattened().shape == [2, 12])
  #expect(try x.flattened(from: 0).shape == [24])
  #expect(try x.flattened(from: 2).shape == [2, 3, 4])
  #expect(try x.flattened(from: -2).shape == [2, 12])
  #expect(try Tensor.scalar(1).flattened().shape == [])
}

@Test func linearAlgebraSolvesWhatItSays() throws {
  let a = try draws([4, 4], seed: 1)
  let positive = try a.matmul(a.transposed()) + .identity(4, dtype: .float64)
  let factor = try positive.cholesky()
  #expect(try maximumDifference(factor.matmul(factor.transposed()), positive) < 1e-12)
  #expect(try maximumDifference(positive.matmul(positive.inverse()), .identity(4, dtype: .float64)) < 1e-12)
  let b = try draws([4, 2], seed: 2)
  #expect(try maximumDifference(factor.matmul(factor.solveTriangular(b)), b) < 1e-12)
  let (values, vectors) = try positive.symmetricEigen()
  #expect(try maximumDifference(positive.matmul(vectors), vectors * values) < 1e-12)
  #expect(try values.doubles() == values.doubles().sorted())
  let distances = try a.distances(to: b.transposed().matmul(.ones([4, 4], dtype: .float64)))
  #expect(distances.shape == [4, 2])
}

// MARK: Refusals

@Test func shapeMistakesNameTheOperationAndBothShapes() throws {
  let (a, b) = try (Tensor.zeros([2, 3]), Tensor.zeros([4, 5]))
  let attempts: [(String, () throws -> Any)] = [
    ("+", { try a + b }), ("-", { try a - b }), ("*", { try a * b }), ("/", { try a / b }), (".<", { try a .< b }),
    ("matmul", { try a.matmul(b) }), ("maximum", { try a.maximum(b) }), ("pow", { try a.pow(b) }),
    ("linear", { try a.linear(b) }), ("squared error", { try a.squaredError(b) }),
    ("huber error", { try a.huberError(b) }), ("binary cross entropy", { try a.binaryCrossEntropy(b) }),
    ("binary cross entropy of logits", { try a.binaryCrossEntropyOfLogits(b) }),
    ("concatenate", { try Tensor.concatenate([a, b]) }), ("stack", { try Tensor.stack([a, b]) }),
    ("copyInPlace", { try a.copyInPlace(b) }), ("addInPlace", { try a.addInPlace(b) }),
    ("distances", { try a.distances(to: b) }), ("convolution", { try a.convolved(b) }),
    ("prelu", { try a.prelu(slope: b) }),
  ]
  for (operation, attempt) in attempts {
    let error = #expect(throws: TensorError.self, "\(operation)") { _ = try attempt() }
    #expect(error?.operation == operation)
    #expect(error?.shapes == [[2, 3], [4, 5]], "\(operation)")
    let text = "\(try #require(error))"
    #expect(text.contains("[2, 3] and [4, 5]") && !text.contains("\n"), "\(text)")
  }
}

@Test func whatIsOutOfBoundsIsAnErrorAndNoTrap() throws {
  let x = try Tensor.zeros([2, 3, 4, 4])
  let matrix = try Tensor.zeros([2, 3])
  let far = try Tensor([Int64(7)])
  let negative = try Tensor([Int64(-7)])
  let attempts: [(String, () throws -> Any)] = [
    ("reshape", { try x.reshaped([5, 5]) }), ("two unknown lengths", { try x.reshaped([-1, -1]) }),
    ("permuted", { try x.permuted([0, 0, 1, 2]) }), ("permuted short", { try x.permuted([0]) }),
    ("axis of sum", { try x.sum(axis: 4) }), ("axis of mean", { try x.mean(axis: -5) }),
    ("axis of argmax", { try x.argmax(axis: 9) }), ("axis of sorted", { try x.sorted(axis: 4) }),
    ("axis of softmax", { try x.softmax(axis: 4) }), ("axis of slice", { try x.slice(0..<1, axis: 4) }),
    ("select", { try x.select(2) }), ("select axis", { try x.select(0, axis: 5) }), ("rows", { try x.rows([2]) }),
    ("negative rows", { try x.rows(negative) }), ("rows by floats", { try x.rows(Tensor([0.5])) }),
    ("gathered", { try matrix.gathered(far.unsqueezed(0), axis: 1) }), ("unsqueezed", { try x.unsqueezed(9) }),
    ("transposed", { try x.transposed(0, 7) }), ("flipped", { try x.flipped(axis: 4) }),
    ("expanded", { try x.expanded([3, 3, 4, 4]) }), ("oneHot", { try far.oneHot(5) }),
    ("oneHot of a negative", { try negative.oneHot(5) }), ("oneHot of floats", { try x.oneHot(5) }),
    ("labels", { try Tensor.zeros([1, 3]).crossEntropy(far) }), ("count of labels", { try matrix.crossEntropy(far) }),
    ("labels of floats", { try matrix.crossEntropy(Tensor([Float(0), 1])) }),
    ("probabilities", { try Tensor([Float(2)]).binaryCrossEntropy(Tensor([Float(1)])) }),
    ("item", { try x.item() }), ("greatest of nothing", { try Tensor.zeros([0]).max() }),
    ("concatenate nothing", { try Tensor.concatenate([]) }), ("stack nothing", { try Tensor.stack([]) }),
    ("range backwards", { try Tensor.range(5, 2) }), ("linspace", { try Tensor.linspace(0, 1, count: -1) }),
    ("negative shape", { try Tensor.zeros([-1]) }), ("identity", { try Tensor.identity(-1) }),
    ("too few values", { try Tensor([1.0], shape: [2]) }),
    ("negative lengths", { try Tensor([1.0], shape: [-1, -1]) }),
    ("huge shape", { try Tensor([1.0], shape: [.max, 2]) }), ("no memory", { try Tensor.zeros([1 << 40, 1 << 20]) }),
    ("too few bytes", { try Tensor(bytes: Data([1]), shape: [2], dtype: .uint8) }),
    ("huge shape of bytes", { try Tensor(bytes: Data([1]), shape: [.max, .max], dtype: .float64) }),
    ("wrong type", { try x.array(Double.self) }), ("not positive definite", { try Tensor.zeros([2, 2]).cholesky() }),
    ("singular", { try Tensor.zeros([2, 2]).inverse() }), ("cholesky of no square", { try matrix.cholesky() }),
    ("channels", { try x.convolved(Tensor.zeros([2, 5, 3, 3])) }),
    ("stride", { try x.convolved(Tensor.zeros([2, 3, 3, 3]), stride: 0) }),
    ("padding", { try x.convolved(Tensor.zeros([2, 3, 3, 3]), padding: -1) }),
    ("kernel", { try x.convolved(Tensor.zeros([2, 3, 7, 7])) }),
    ("bias", { try x.convolved(Tensor.zeros([2, 3, 3, 3]), bias: .zeros([3])) }),
    ("transposed channels", { try x.convolvedTransposed(Tensor.zeros([2, 3, 3, 3])) }),
    ("transposed stride", { try x.convolvedTransposed(Tensor.zeros([3, 3, 3, 3]), stride: 0) }),
    ("pool", { try x.maxPooled(0) }), ("pool stride", { try x.maxPooled(2, stride: 0) }),
    ("pool size", { try x.maxPooled(5) }),
    ("mean pool", { try x.averagePooled(0) }), ("mean pool size", { try x.averagePooled(5) }),
    ("adaptive pool", { try x.averagePooled(to: -1, 2) }), ("pool of a matrix", { try matrix.maxPooled(2) }),
    ("upsampling", { try x.upsampledNearest(0) }), ("negative upsampling", { try x.upsampledBilinear(-2) }),
    ("upsampling a matrix", { try matrix.upsampledNearest(2) }), ("channels last", { try matrix.channelsLast() }),
    ("types", { try Tensor([1.0]).matmul(Tensor([Float(1)])) }),
    ("mean of integers", { try Tensor([Int64(1)]).mean() }),
    ("padding too far", { try x.padded(-9) }),
    ("size", { try x.size(4) }), ("negative size", { try x.size(-5) }),
    ("size of a scalar", { try Tensor.scalar(1).size(0) }),
    ("slice beyond", { try x.slice(1..<3) }), ("negative slice", { try x.slice(-1..<1) }),
    ("slice of a scalar", { try Tensor.scalar(1).slice(0..<1) }), ("negative select", { try x.select(-3) }),
    ("rows of a scalar", { try Tensor.scalar(1).rows(far) }),
    ("rows of nothing", { try Tensor.zeros([0, 2]).rows([0]) }),
    ("negative gathered", { try matrix.gathered(negative.unsqueezed(0), axis: 1) }),
    ("axis of gathered", { try matrix.gathered(far.unsqueezed(0), axis: 2) }),
    ("addingRows", { try matrix.addingRows(far, .zeros([1, 3])) }),
    ("negative addingRows", { try matrix.addingRows(negative, .zeros([1, 3])) }),
    ("axis of addingRows", { try matrix.addingRows(far, .zeros([1, 3]), axis: 5) }),
    ("oneHot of no class", { try Tensor([Int64(0)]).oneHot(0) }), ("oneHot of -1 classes", { try far.oneHot(-1) }),
    ("flattened", { try x.flattened(from: -5) }), ("axis of stack", { try Tensor.stack([x, x], axis: 6) }),
    ("axis of concatenate", { try Tensor.concatenate([x, x], axis: 4) }), ("squeezed", { try x.squeezed(4) }),
    ("axis of cumulativeSum", { try x.cumulativeSum(axis: 4) }), ("axis of max", { try x.max(axis: -5) }),
    ("axis of autocovariance", { try x.autocovariance(axis: 4) }), ("diagonal of a vector", { try far.diagonal() }),
    ("axis of variance", { try x.variance(axes: [0, 7]) }), ("axis of logSumExp", { try x.logSumExp(axis: 4) }),
    ("a label that PyTorch leaves out", { try Tensor.zeros([1, 3]).crossEntropy(Tensor([Int64(-100)])) }),
    ("labels of a vector", { try Tensor.zeros([3]).crossEntropy(far) }),
    ("device below 0", { try x.to(Device(.cuda, index: -1)) }),
    ("huge device", { try x.to(Device(.cuda, index: .max)) }),
    ("gradient of a matrix", { try matrix.requiringGradient().square().gradients(by: [matrix]) }),
    ("gradient of what is not recorded", { try Tensor.scalar(1).gradients(by: [Tensor.scalar(2)]) }),
    ("to a device that is not there", { try x.to(Device(.cuda, index: 99)) }),
    ("generator on a device that is not there", { try Generator(seed: 1, device: Device(.cuda, index: 99)) }),
  ]
  for (name, attempt) in attempts {
    #expect(throws: TensorError.self, "\(name)") { _ = try attempt() }
  }
}

@Test func whatIsLookedUpOutsideItsRangeIsNamedWithTheRange() throws {
  let matrix = try Tensor.zeros([2, 3])
  let attempts: [(String, String, () throws -> Any)] = [
    ("rows", "found index 2, expected 0 to 1", { try matrix.rows([0, 2, 1]) }),
    ("rows", "found index -1, expected 0 to 1", { try matrix.rows([0, -1]) }),
    ("rows", "found index 3, expected 0 to 2", { try matrix.rows(Tensor([Int64(3)]), axis: 1) }),
    ("rows", "found index 0, expected none", { try Tensor.zeros([0, 3]).rows([0]) }),
    (
      "gathered", "found index 5, expected 0 to 2",
      { try matrix.gathered(Tensor([Int64(5)], shape: [1, 1]), axis: -1) }
    ),
    ("addingRows", "found index 9, expected 0 to 1", { try matrix.addingRows(Tensor([Int64(9)]), .zeros([1, 3])) }),
    ("oneHot", "found label 4, expected 0 to 3", { try Tensor([Int64(0), 4]).oneHot(4) }),
    ("oneHot", "found label -2, expected 0 to 3", { try Tensor([Int64(-2), 4]).oneHot(4) }),
    ("cross entropy", "found label 3, expected 0 to 2", { try matrix.crossEntropy(Tensor([Int64(0), 3])) }),
    ("cross entropy", "found label -100, expected 0 to 2", { try matrix.crossEntropy(Tensor([Int64(0), -100])) }),
    ("slice", "found 1..<4 along axis 0, expected within 0..<2", { try matrix.slice(1..<4) }),
    ("size", "found axis 2, expected -2 to 1", { try matrix.size(2) }),
  ]
  for (operation, reason, attempt) in attempts {
    let error = #expect(throws: TensorError.self, "\(reason)") { _ = try attempt() }
    #expect(error?.operation == operation && error?.reason.hasPrefix(reason) == true, "\(String(describing: error))")
  }
  // What fails for another reason keeps that reason.
  let types = #expect(throws: TensorError.self) { try matrix.rows(Tensor([Float(7)])) }
  #expect(types?.reason.contains("dtype") == true && types?.reason.contains("found index") == false)
}

@Test func errorsBelongToTheirOwnFailure() throws {
  let first = #expect(throws: TensorError.self) { try Tensor.zeros([2]) + Tensor.zeros([3]) }
  let second = #expect(throws: TensorError.self) { try Tensor.zeros([2, 2]).cholesky() }
  #expect(first?.reason != second?.reason && first?.reason.isEmpty == false)
}

@Test func devicesAreReadAsTheyAreWritten() {
  for device in [Device.cpu, .cuda, .mps, Device(.cuda, index: 3)] {
    #expect(Device(parsing: device.description) == device)
  }
  for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0:1", "CUDA", "cuda:99999999999", "cuda:300"] {
    #expect(Device(parsing: text) == nil, "\(text)")
  }
  #expect(Device.cpu.isAvailable)
  #expect(!Device(.cuda, index: 99).isAvailable)
}
