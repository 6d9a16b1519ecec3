import CSAENative
import LatentKit

extension Tensor {
  /// The power of each image's response to square filters: for images `[batch, channels, height, width]` and filters
  /// `[count, size, size]`, the sum over filters of the mean square of their cross-correlation with the image, `[batch]`.
  /// One pass in memory each way on the CPU.
  func filterPower(_ filters: Tensor, padding: Int = 0) throws -> Tensor {
    try .make("filter power", [self, filters]) { csae_filter_power(handle, filters.handle, Int64(padding)) }
  }
}
