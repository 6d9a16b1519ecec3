import Figures
import Foundation
import LatentKit

extension Session {
  /// Returns images decoded over a regular grid of a latent space of two dimensions.
  ///
  /// Along each axis the grid goes from the 1 % to the 99 % quantile of the latents, in equal steps: the first latent grows to the
  /// right, the second upwards.
  ///
  /// - Parameters:
  ///   - latents: The latents whose range is decoded, those of the test part say.
  ///   - side: The number of images along each axis, 2 or more.
  /// - Returns: Nil unless latents have two dimensions and the model decodes images without a class.
  public func latentGrid(over latents: LatentSet, side: Int = 15) throws -> ImageGrid? {
    guard composition.model.encoder.latentSize == 2, composition.model.decoder != nil,
      !composition.model.decodesByClass, training.inputShape.count == 3, side >= 2
    else { return nil }
    let axes = try (0..<2).map { axis in
      let values = try latents.latents.slice(axis..<(axis + 1), axis: 1).doubles().sorted()
      func quantile(_ share: Double) -> Double { values[Int((share * Double(values.count - 1)).rounded())] }
      let (low, high) = (quantile(0.01), quantile(0.99))
      return (0..<side).map { low + (high - low) * Double($0) / Double(side - 1) }
    }
    let points = axes[1].reversed().flatMap { y in axes[0].flatMap { x in [Float(x), Float(y)] } }
    let images = try evaluator.decode(Tensor(points, shape: [side * side, 2]).to(device), labels: nil)
    func labels(_ values: [Double]) -> [String] {
      values.enumerated().map { $0.offset % 2 == 0 ? String(format: "%.2f", $0.element) : "" }
    }
    return try ImageGrid(
      images, range: training.inputRange ?? 0...1, columns: side, rowLabels: labels(axes[1].reversed()),
      columnLabels: labels(axes[0]), caption: "Decoded points of the latent space", padding: 0)
  }
}
