import Foundation
import LatentKit
import Statistics
import Testing

/// Made by `Fixtures/make_images.py` with scikit-image.
private struct Golden: Codable {
  let channels: Int, height: Int, width: Int
  let low: Double, scale: Double
  let similarity: Double, signalToNoise: Double

  static func read() throws -> [Golden] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/images", withExtension: "json"))
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }

  /// The pair of images, `[1, channels, height, width]`, by the script's formula.
  func images() throws -> (Tensor, Tensor) {
    let first = pixels(3)
    let second = zip(first, pixels(7)).map { $0 / 2 + $1 / 4 }
    func tensor(_ pixels: [Int]) throws -> Tensor {
      try Tensor(pixels.map { Double($0) * scale + low }, shape: [1, channels, height, width])
    }
    return (try tensor(first), try tensor(second))
  }

  private func pixels(_ factor: Int) -> [Int] {
    (0..<(channels * height * width)).map { min($0 * $0 * factor % 257, 255) }
  }
}

@Test func imageMeasuresAgreeWithScikitImage() throws {
  for golden in try Golden.read() {
    let (a, b) = try golden.images()
    let range = 255 * golden.scale
    #expect(abs(try StructuralSimilarity.values(a, b, range: range).item() - golden.similarity) < 1e-12)
    #expect(abs(try ImageQuality.peakSignalToNoise(a, b, range: range).item() - golden.signalToNoise) < 1e-12)
  }
}

@Test func similarityOfManyImagesIsThatOfEach() throws {
  var generator = try Generator(seed: 1)
  // More than one block.
  let a = try generator.uniform([700, 2, 30, 26])
  let b = try a * 0.5 + generator.uniform([700, 2, 30, 26]) * 0.5
  let all = try StructuralSimilarity.values(a, b, range: 1)
  #expect(all.shape == [700] && all.dtype == .float64)
  let found = try all.doubles()
  for image in [0, 320, 641, 699] {
    let one = image..<(image + 1)
    #expect(abs(try StructuralSimilarity.values(a.slice(one), b.slice(one), range: 1).item() - found[image]) < 1e-12)
    // The order of the pair does not matter, nor do units.
    let (x, y) = (try a.slice(one).to(.float64) * 255, try b.slice(one).to(.float64) * 255)
    #expect(abs(try StructuralSimilarity.values(y, x, range: 255).item() - found[image]) < 1e-12)
  }
  #expect(found.max()! < 0.95 && found.min()! > 0)
  #expect(try abs(StructuralSimilarity.values(a, a, range: 1).min().item() - 1) < 1e-12)
}

@Test func similarityOfUniformImagesIsThatOfTheirMeans() throws {
  // Without contrast only the first factor is left: (2ab + C1)/(a² + b² + C1).
  let found = try StructuralSimilarity.values(.full([1, 1, 11, 11], 0.2), .full([1, 1, 11, 11], 0.6), range: 1).item()
  #expect(abs(found - (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)) < 1e-6)  // Float32 pixels
}

@Test func signalToNoiseOfAKnownErrorAndOfNone() throws {
  // An error of 0.1 everywhere is 20 dB; of 2 in a range of 20 as well.
  let images = try Tensor.full([2, 1, 4, 5], 0.5, dtype: .float64)
  #expect(try abs(ImageQuality.peakSignalToNoise(images, images + 0.1, range: 1).doubles()[1] - 20) < 1e-9)
  #expect(try abs(ImageQuality.peakSignalToNoise(images, images - 2, range: 20).doubles()[0] - 20) < 1e-9)
  #expect(try abs(ImageQuality.peakSignalToNoise(images, images, range: 1).doubles()[0] - 100) < 1e-9)
}

@Test func sharpnessMatchesALoopAndFallsByBlurring() throws {
  var generator = try Generator(seed: 2)
  let images = try generator.uniform([3, 2, 9, 7], dtype: .float64)
  let found = try ImageQuality.sharpness(images).doubles()
  for image in 0..<3 {
    var variances: [Double] = []
    for channel in 0..<2 {
      let pixels = try images.select(image).select(channel).doubles()
      var values: [Double] = []
      for row in 1..<8 {
        for column in 1..<6 {
          let at = row * 7 + column
          values.append(pixels[at - 7] + pixels[at + 7] + pixels[at - 1] + pixels[at + 1] - 4 * pixels[at])
        }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      variances.append(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
    }
    #expect(abs(found[image] - (variances[0] + variances[1]) / 2) < 1e-12)
  }
  let blurred = try ImageQuality.sharpness(images.averagePooled(3, stride: 1)).doubles()
  for (blurred, sharp) in zip(blurred, found) { #expect(blurred < sharp / 4) }
  // A slope has no edges.
  let slope = try Tensor((0..<20).map { Double($0 / 5) + 2 * Double($0 % 5) }, shape: [1, 1, 4, 5])
  #expect(try abs(ImageQuality.sharpness(slope).item()) < 1e-20)
}

@Test func imageMeasuresRefuseOtherShapesAndRanges() throws {
  let small = try Tensor.zeros([1, 1, 10, 30])
  #expect(throws: TensorError.self) { try StructuralSimilarity.values(small, small, range: 1) }
  #expect(throws: TensorError.self) { try ImageQuality.squaredErrors(small, .zeros([1, 1, 30, 10])) }
  #expect(throws: TensorError.self) { try ImageQuality.squaredErrors(.zeros([3, 4]), .zeros([3, 4])) }
  #expect(throws: TensorError.self) { try ImageQuality.sharpness(.zeros([1, 1, 2, 30])) }
  for range in [0, -1, Double.infinity] {
    #expect(throws: TensorError.self) { try ImageQuality.peakSignalToNoise(small, small, range: range) }
  }
  #expect(try ImageQuality.sharpness(.zeros([0, 1, 28, 28])).shape == [0])
}
