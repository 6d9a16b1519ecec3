import Foundation
import LatentKit

/// Measures of single images and of pairs, in Float64 on the CPU.
public enum ImageQuality {
  /// Squared errors count as at least this share of the squared range: a peak signal-to-noise ratio ends at 100 dB, where that of
  /// equal images would be infinite.
  public static let leastError = 1e-10

  /// Returns the mean squared error of each image's values to its partner's: `[count]`, Float64, in squared units of the pixels.
  ///
  /// - Parameters:
  ///   - images: `[count, channels, height, width]`.
  ///   - others: The same shape.
  /// - Throws: `TensorError` for other shapes.
  public static func squaredErrors(_ images: Tensor, _ others: Tensor) throws -> Tensor {
    try requireImages("squared errors", images, others, smallestSide: 1)
    return try blockwise(images, others) { try ($0 - $1).square().mean(axes: [1, 2, 3]) }
  }

  /// Returns the peak signal-to-noise ratio of each image to its partner, `10 log10(range² / mean squared error)`: `[count]`,
  /// Float64, in dB, at most 100.
  ///
  /// - Parameters:
  ///   - images: `[count, channels, height, width]`.
  ///   - others: The same shape.
  ///   - range: The greatest possible pixel value less the least, above 0.
  /// - Throws: `TensorError` for other shapes or ranges.
  public static func peakSignalToNoise(_ images: Tensor, _ others: Tensor, range: Double) throws -> Tensor {
    try requireRange("peak signal-to-noise ratio", range, images)
    let errors = try squaredErrors(images, others) / (range * range)
    return try errors.clamped(leastError).log() * (-10 / log(10))
  }

  /// Returns the sharpness of each image: the variance of its Laplacian (Pech-Pacheco et al. 2000), the four neighbours of a pixel
  /// less four times itself, over all pixels that have four neighbours, with the divisor count; the mean over channels.
  /// `[count]`, Float64, in squared units of the pixels. A blurred image has less than the same image in focus; so has one of less
  /// contrast, and noise has more.
  ///
  /// - Parameter images: `[count, channels, height, width]`, sides of at least 3 pixels.
  /// - Throws: `TensorError` for other shapes.
  public static func sharpness(_ images: Tensor) throws -> Tensor {
    try requireImages("sharpness", images, images, smallestSide: 3)
    return try blockwise(images, images) { images, _ in
      let (height, width) = try (images.size(2), images.size(3))
      func moved(_ row: Int, _ column: Int) throws -> Tensor {
        try images.slice(row..<(row + height - 2), axis: 2).slice(column..<(column + width - 2), axis: 3)
      }
      let laplacian = try moved(0, 1) + moved(2, 1) + moved(1, 0) + moved(1, 2) - 4 * moved(1, 1)
      return try laplacian.variance(axes: [2, 3], unbiased: false).mean(axis: 1)
    }
  }
}

/// Throws unless both are images of one shape with sides of `smallestSide` and more.
func requireImages(_ operation: String, _ images: Tensor, _ others: Tensor, smallestSide: Int) throws {
  guard images.rank == 4, images.shape == others.shape, images.shape[1] > 0, images.shape[2] >= smallestSide,
    images.shape[3] >= smallestSide
  else {
    throw TensorError(
      operation, shapes: [images.shape, others.shape],
      reason: "expected images [count, channels, height, width] of one shape, with sides of at least \(smallestSide)")
  }
}

/// Throws unless a range of pixel values is above 0.
func requireRange(_ operation: String, _ range: Double, _ images: Tensor) throws {
  guard range > 0, range.isFinite else {
    throw TensorError(operation, shapes: [images.shape], reason: "found a range of \(range), expected one above 0")
  }
}

/// Joins what `body` returns for some pairs of images at a time, which are in Float64 on the CPU: tens of megabytes for any count.
func blockwise(_ images: Tensor, _ others: Tensor, _ body: (Tensor, Tensor) throws -> Tensor) throws -> Tensor {
  try withoutGradients {
    let count = try images.size(0)
    guard count > 0 else { return try .zeros([0], dtype: .float64) }
    let step = max(1, 1_000_000 / max(1, images.shape.dropFirst().reduce(1, *)))
    return try .concatenate(
      stride(from: 0, to: count, by: step).map { start in
        let block = start..<min(start + step, count)
        return try body(
          images.slice(block).to(.float64, .cpu).contiguous(), others.slice(block).to(.float64, .cpu).contiguous())
      })
  }
}
