import Files
import Foundation
import LatentKit

/// Pictures of one size from files, decoded side by side and kept in the files' order.
struct ImageList {
  /// What to do with a file that cannot be decoded.
  enum Damaged: String, Choice { case refuse, skip }

  /// A picture's file, and the number of its class.
  struct Item {
    let url: URL
    let label: Int?
  }

  /// The pictures that could be decoded, and their items.
  private(set) var images: [ImageFit.Fitted] = []
  private(set) var items: [Item] = []
  /// The files that could not.
  private(set) var failures: [FileError] = []

  /// - Throws: `FileError` for the first file that cannot be decoded, unless such are skipped, and for one that has
  ///   another size than the first where no size is set.
  init(_ items: [Item], _ fit: ImageFit, pixels limit: Int, damaged: Damaged) throws {
    let results = ImageList.decode(items, fit, limit)
    for (item, result) in zip(items, results) {
      switch result {
      case .success(let image):
        images.append(image)
        self.items.append(item)
      case .failure(let error): failures.append(error)
      }
    }
    if let first = failures.first, damaged == .refuse {
      let others = failures.count > 1 ? " (and so are \(grouped(failures.count - 1)) more files)" : ""
      throw FileError(first.path, "\(first.reason)\(others); data.damaged=skip leaves such files out")
    }
    guard let first = images.first else { return }
    for (item, image) in zip(self.items, images)
    where (image.height, image.width) != (first.height, first.width) {
      throw FileError(
        item.url.path,
        "has \(image.width) x \(image.height) pixels, expected \(first.width) x \(first.height) as "
          + "\(self.items[0].url.lastPathComponent); set data.size, as in data.size=\(min(first.width, first.height))")
    }
  }

  private static func decode(_ items: [Item], _ fit: ImageFit, _ limit: Int) -> [Result<ImageFit.Fitted, FileError>] {
    [Result<ImageFit.Fitted, FileError>](unsafeUninitializedCapacity: items.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: items.count) { position in
        let url = items[position].url
        let result = Result { () throws(FileError) in try decode(url, fit, limit) }
        (results.baseAddress! + position).initialize(to: result)
      }
      count = items.count
    }
  }

  private static func decode(_ url: URL, _ fit: ImageFit, _ limit: Int) throws(FileError) -> ImageFit.Fitted {
    do {
      let image = try DecodedImage(contentsOf: url, limit: limit, background: fit.background)
      return try fit.fit(image, path: url.path)
    } catch let error as FileError {
      throw error
    } catch {
      throw FileError(url.path, "cannot be read: \(error)")
    }
  }

  /// Whether one of them has colours.
  var haveColours: Bool { images.contains { $0.channels == 3 } }

  /// The examples, with as many channels: 1 or 3.
  /// - Throws: `DatasetError` where there are none, or more than this machine's memory holds.
  func examples(channels: Int) throws -> Examples {
    guard let first = images.first else { throw DatasetError("found no pictures, expected at least one") }
    let size = first.height * first.width
    let (count, overflow) = (size * channels).multipliedReportingOverflow(by: images.count)
    guard !overflow, UInt64(count) < ProcessInfo.processInfo.physicalMemory / 2 else {
      throw DatasetError(
        "\(grouped(images.count)) pictures of \(first.width) x \(first.height) need more than half of this machine's "
          + "memory; lower data.size")
    }
    var bytes = Data(capacity: count)
    for image in images {
      if image.channels == channels {
        bytes.append(contentsOf: image.pixels)
      } else {
        bytes.append(contentsOf: image.pixels.flatMap { [$0, $0, $0] })
      }
    }
    let shape = [images.count, first.height, first.width, channels]
    let inputs = try Tensor(bytes: bytes, shape: shape, dtype: .uint8).permuted([0, 3, 1, 2]).contiguous()
    let labels = items.compactMap(\.label)
    return try Examples(inputs: inputs, labels: labels.isEmpty ? nil : Tensor(labels.map(Int64.init)))
  }
}
