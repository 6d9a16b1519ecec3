import LatentKit
import Testing

@testable import CSAE

@Suite struct FilterPower {
  private let filters = try! Tensor(
    [-1.0, 0, 1, -2, 0, 2, -1, 0, 1, 0.5, -1, 0.25, 0, 2, 0, 1, 1, -3], shape: [2, 3, 3])

  /// Normal draws that depend on the seed alone.
  private static func draws(_ shape: [Int], seed: UInt64) throws -> Tensor {
    var generator = try Generator(seed: seed)
    return try generator.normal(shape, dtype: .float64)
  }

  /// The definition, pixel by pixel.
  private func loop(_ images: [Double], _ shape: [Int], padding: Int) throws -> [Double] {
    let taps = try filters.doubles()
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    func pixel(_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Double {
      guard (0..<height).contains(y), (0..<width).contains(x) else { return 0 }
      return images[((n * channels + c) * height + y) * width + x]
    }
    let (rows, columns) = (height + 2 * padding - 2, width + 2 * padding - 2)
    return (0..<shape[0]).map { n in
      var sum = 0.0
      for f in 0..<2 {
        for c in 0..<channels {
          for y in 0..<rows {
            for x in 0..<columns {
              var response = 0.0
              for i in 0..<3 {
                for j in 0..<3 { response += taps[f * 9 + i * 3 + j] * pixel(n, c, y + i - padding, x + j - padding) }
              }
              sum += response * response
            }
          }
        }
      }
      return sum / Double(channels * rows * columns)
    }
  }

  @Test(arguments: [0, 1], [[3, 1, 5, 6], [9, 2, 4, 3]])
  func matchesALoopAndFiniteDifferences(padding: Int, shape: [Int]) throws {
    var generator = try Generator(seed: 4)
    let images = try generator.normal(shape, dtype: .float64)
    let values = try images.doubles()
    for layout in [images, try images.channelsLast()] {
      let found = try layout.filterPower(filters, padding: padding).doubles()
      for (found, expected) in zip(found, try loop(values, shape, padding: padding)) {
        #expect(abs(found - expected) < 1e-12 * max(1, expected))
      }
    }
    let weights = try generator.normal([shape[0]], dtype: .float64)
    func total(_ images: Tensor) throws -> Tensor {
      try (images.filterPower(filters, padding: padding) * weights).sum()
    }
    let leaf = try images.clone().requiringGradient()
    let gradient = try #require(try total(leaf).gradients(by: [leaf])[0]).doubles()
    for index in stride(from: 0, to: values.count, by: 7) {
      func at(_ offset: Double) throws -> Double {
        var moved = values
        moved[index] += offset
        return try total(Tensor(moved, shape: shape)).item()
      }
      let slope = try (at(1e-5) - at(-1e-5)) / 2e-5
      #expect(abs(slope - gradient[index]) < 1e-7 * max(1, abs(slope)))
    }
  }

  @Test(arguments: [0, 1]) func canBeDifferentiatedTwice(padding: Int) throws {
    let images = try Self.draws([2, 2, 5, 6], seed: 5).requiringGradient()
    let weights = try Self.draws([2], seed: 6)
    let directions = try Self.draws(images.shape, seed: 7)
    /// The derivative along `directions`.
    func slope(createGraph: Bool) throws -> Tensor {
      let total = try (images.filterPower(filters, padding: padding).square() * weights).sum()
      return try (#require(total.gradients(by: [images], createGraph: createGraph)[0]) * directions).sum()
    }
    let (fused, plain) = try (slope(createGraph: false).item(), slope(createGraph: true).item())
    #expect(abs(fused - plain) < 1e-12 * max(1, abs(fused)))
    let second = try #require(slope(createGraph: true).gradients(by: [images])[0])
    let change = try Self.draws(images.shape, seed: 8)
    let found = try (second * change).sum().item()
    let start = try images.detached().clone()
    func moved(_ distance: Double) throws -> Double {
      try images.copyInPlace(start)
      try images.addInPlace(change, times: distance)
      return try slope(createGraph: false).item()
    }
    let expected = try (moved(1e-6) - moved(-1e-6)) / 2e-6
    #expect(abs(found - expected) < 1e-6 * max(1, abs(expected)))
  }

  @Test func refusesImagesSmallerThanTheFiltersAndOtherTypes() throws {
    #expect(throws: TensorError.self) { try Tensor.ones([1, 1, 2, 2], dtype: .float64).filterPower(filters) }
    #expect(throws: TensorError.self) { try Tensor.ones([1, 1, 5, 5]).filterPower(filters) }
    #expect(throws: TensorError.self) { try Tensor.ones([5, 5], dtype: .float64).filterPower(filters) }
  }
}
