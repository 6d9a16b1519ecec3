import Foundation
import LatentKit

/// The structural similarity of two images (Wang, Bovik, Sheikh & Simoncelli 2004, eq. 13): the mean over all places of a window
/// of 11x11, weighted by a Gaussian of deviation 1.5, of
///
/// `(2 m_x m_y + C1)(2 s_xy + C2) / ((m_x² + m_y² + C1)(s_x² + s_y² + C2))`, `C1 = (0.01 R)²`, `C2 = (0.03 R)²`,
///
/// with the means, variances and covariance of the two images in the window and `R` the range of pixel values. The window lies
/// inside the image everywhere. These are the defaults of the authors' program, without its downsampling of large images, and
/// those of scikit-image with `gaussian_weights`, `sigma` 1.5 and `use_sample_covariance` off.
public enum StructuralSimilarity {
  /// The side of the window, in pixels.
  public static let windowSize = 11
  /// The deviation of the window's weights, in pixels.
  public static let deviation = 1.5

  /// Returns the similarity of each image to its partner, the mean over channels: `[count]`, Float64, from −1 to 1; 1 for
  /// equal images.
  ///
  /// - Parameters:
  ///   - images: `[count, channels, height, width]`, sides of at least 11 pixels.
  ///   - others: The same shape.
  ///   - range: The greatest possible pixel value less the least, above 0.
  /// - Throws: `TensorError` for other shapes or ranges.
  public static func values(_ images: Tensor, _ others: Tensor, range: Double) throws -> Tensor {
    try requireImages("structural similarity", images, others, smallestSide: windowSize)
    try requireRange("structural similarity", range, images)
    let weights = gaussian()
    let rows = try Tensor(weights, shape: [1, 1, windowSize, 1])
    let columns = try Tensor(weights, shape: [1, 1, 1, windowSize])
    func smooth(_ maps: Tensor) throws -> Tensor { try maps.convolved(rows).convolved(columns) }

    let (c1, c2) = (pow(0.01 * range, 2), pow(0.03 * range, 2))
    return try blockwise(images, others) { x, y in
      // Channels one by one, as images of their own.
      let (count, channels) = try (x.size(0), x.size(1))
      let plane = try [count * channels, 1, x.size(2), x.size(3)]
      let (x, y) = (try x.reshaped(plane), try y.reshaped(plane))
      let (meanX, meanY) = (try smooth(x), try smooth(y))
      let variances = try smooth(x.square() + y.square()) - meanX.square() - meanY.square()
      let covariance = try smooth(x * y) - meanX * meanY
      let numerator = try (2 * meanX * meanY + c1) * (2 * covariance + c2)
      let denominator = try (meanX.square() + meanY.square() + c1) * (variances + c2)
      return try (numerator / denominator).reshaped([count, -1]).mean(axis: 1)
    }
  }

  /// The weights of the window along one axis, adding up to 1.
  private static func gaussian() -> [Double] {
    let weights = (0..<windowSize).map { exp(-0.5 * pow((Double($0) - Double(windowSize / 2)) / deviation, 2)) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }
}
