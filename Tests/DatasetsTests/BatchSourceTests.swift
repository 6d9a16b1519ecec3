import LatentKit
import Testing

@testable import Datasets

private func source(
  _ shape: [Int], _ change: (inout DataSettings) -> Void = { _ in }
) throws -> (source: BatchSource, bytes: [UInt8]) {
  let bytes = noise(shape.reduce(1, *))
  var settings = DataSettings()
  change(&settings)
  let examples = try Examples(
    inputs: Tensor(bytes, shape: shape), labels: Tensor((0..<shape[0]).map { Int64($0 % 7) }))
  return (try BatchSource(examples, settings: settings, classCount: 7), bytes)
}

/// One pixel of a stored image; byte 0 outside.
private func pixel(_ bytes: [UInt8], _ shape: [Int], _ image: Int, _ channel: Int, _ y: Int, _ x: Int) -> UInt8 {
  guard (0..<shape[2]).contains(y), (0..<shape[3]).contains(x) else { return 0 }
  return bytes[((image * shape[1] + channel) * shape[2] + y) * shape[3] + x]
}

@Test(arguments: [1, 3], [DataSettings.Range.unit, .symmetric])
func batchesMatchAPlainLoop(channels: Int, range: DataSettings.Range) throws {
  let shape = [10, channels, 5, 4]
  let (source, bytes) = try source(shape) {
    $0.pad = 2
    $0.range = range
  }
  #expect(source.inputShape == [channels, 9, 8])
  #expect(source.inputRange == (range == .unit ? 0...1 : -1...1))
  let chosen = [7, 0, 0, 9]
  let batch = try source.batch(Tensor(chosen.map(Int64.init)))
  var expected: [Float] = []
  for image in chosen {
    for channel in 0..<channels {
      for y in -2..<7 {
        for x in -2..<6 {
          let byte = Float(pixel(bytes, shape, image, channel, y, x))
          expected.append(range == .unit ? byte / 255 : byte / 127.5 - 1)
        }
      }
    }
  }
  #expect(batch.inputs.shape == [4, channels, 9, 8])
  #expect(batch.inputs.isChannelsLast)
  #expect(try batch.inputs.array(Float.self) == expected)
  #expect(try batch.labels?.ints() == [0, 0, 0, 2])
}

@Test func bytesReachBothEndsOfTheRangeExactly() throws {
  let examples = try Examples(inputs: Tensor([0, 255] as [UInt8], shape: [2, 1, 1, 1]))
  for range in [DataSettings.Range.unit, .symmetric] {
    var settings = DataSettings()
    settings.range = range
    let values = try BatchSource(examples, settings: settings).batch(0..<2).inputs.doubles()
    #expect(values == [range.bounds.lowerBound, range.bounds.upperBound])
  }
}

@Test func aRangeIsTheBatchOfItsIndices() throws {
  let (source, _) = try source([10, 1, 5, 4]) { $0.pad = 1 }
  let (slice, rows) = (try source.batch(8..<10), try source.batch(Tensor([8, 9] as [Int64])))
  #expect(try slice.inputs.floats() == rows.inputs.floats())
  #expect(try slice.labels?.ints() == rows.labels?.ints())
  #expect(throws: DatasetError.self) { try source.batch(8..<11) }
  #expect(throws: DatasetError.self) { try source.batch(8..<8) }
  #expect(throws: TensorError.self) { try source.batch(Tensor([10] as [Int64])) }
}

@Test(arguments: [(0, true, 0), (2, false, 0), (2, true, 0), (1, true, 2)])
func everyAugmentedImageIsItsOriginalMovedOrMirrored(shift: Int, flip: Bool, pad: Int) throws {
  let shape = [64, 3, 6, 5]
  let (source, bytes) = try source(shape) {
    $0.shift = shift
    $0.flip = flip
    $0.pad = pad
  }
  var generator = try Generator(seed: 3)
  let batch = try source.batch(Tensor.range(0, 64), augmentedBy: &generator)
  let (height, width) = (6 + 2 * pad, 5 + 2 * pad)
  #expect(batch.inputs.shape == [64, 3, height, width])
  let found = try (batch.inputs * 255).floats().map { UInt8($0.rounded()) }
  let size = 3 * height * width

  // Looked for over all moves, without knowing what was drawn.
  var moves = Set<[Int]>()
  for image in 0..<64 {
    let matches = (-shift...shift).flatMap { v in (-shift...shift).flatMap { h in [[v, h, 0], [v, h, 1]] } }.filter {
      move in
      var position = image * size
      for channel in 0..<3 {
        for y in 0..<height {
          for x in 0..<width {
            let from = move[2] == 1 ? width - 1 - x : x
            if found[position] != pixel(bytes, shape, image, channel, y + move[0] - pad, from + move[1] - pad) {
              return false
            }
            position += 1
          }
        }
      }
      return true
    }
    #expect(matches.count == 1, "image \(image)")
    moves.formUnion(matches)
  }
  // 64 draws of 2 to 50 moves.
  #expect(moves.contains { $0[2] == 1 } == flip)
  #expect(Set(moves.map { $0[0] }) == Set(-shift...shift))
  #expect(Set(moves.map { $0[1] }) == Set(-shift...shift))
  #expect(try batch.labels?.ints() == (0..<64).map { $0 % 7 })
}

@Test func augmentationIsFixedByTheGenerator() throws {
  let (source, _) = try source([16, 1, 6, 5]) { $0.shift = 2 }
  let all = try Tensor.range(0, 16)
  func inputs(_ seed: UInt64) throws -> [Float] {
    var generator = try Generator(seed: seed)
    return try source.batch(all, augmentedBy: &generator).inputs.floats()
  }
  #expect(try inputs(1) == inputs(1))
  #expect(try inputs(1) != inputs(2))
}

@Test func withoutAugmentationNothingIsDrawn() throws {
  let (source, _) = try source([10, 1, 5, 4]) { $0.pad = 1 }
  var generator = try Generator(seed: 3)
  let before = try generator.state.bytes()
  let indices = try Tensor([3, 1] as [Int64])
  let batch = try source.batch(indices, augmentedBy: &generator)
  #expect(try generator.state.bytes() == before)
  #expect(try batch.inputs.floats() == source.batch(indices).inputs.floats())
}

@Test func rowsOfNumbersPassUnchanged() throws {
  let rows = try Examples(inputs: Tensor([1.5, -2, 300, 4] as [Float], shape: [2, 2]))
  let source = try BatchSource(rows)
  #expect(source.inputShape == [2])
  #expect(source.inputRange == nil)
  var generator = try Generator(seed: 0)
  #expect(try source.batch(Tensor([1, 0] as [Int64]), augmentedBy: &generator).inputs.floats() == [300, 4, 1.5, -2])
  var settings = DataSettings()
  settings.pad = 2
  #expect(
    message { _ = try BatchSource(rows, settings: settings) }
      == "data.with.pad: is for images, and these inputs have shape [2]; leave it out")
}
