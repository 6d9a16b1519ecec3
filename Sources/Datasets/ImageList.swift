import Files
import Foundation
import LatentKit
import Synchronization

/// Pictures of one size from files, decoded side by side and kept in the files' order.
struct ImageList {
  /// What to do with a file that cannot be decoded.
  enum Damaged: String, Choice { case refuse, skip }

  /// A picture's file, and the number of its class.
  struct Item {
    let url: URL
    let label: Int?
  }

  /// One file: its picture, or why there is none, and the SHA-256 of its bytes, empty where they cannot be read.
  struct Decoded {
    var image: Result<ImageFit.Fitted, FileError>
    var digits = ""
  }

  /// The pictures that could be decoded, and their items.
  private(set) var images: [ImageFit.Fitted] = []
  private(set) var items: [Item] = []
  /// The files that could not.
  private(set) var failures: [FileError] = []
  /// The checksum of every file.
  private(set) var checksums: [(url: URL, digits: String)] = []

  /// - Throws: `FileError` for the first file that cannot be decoded, unless such are skipped, and for one that has
  ///   another size than the first where no size is set. `DatasetError` where the pictures take more memory than the fit
  ///   allows; not all were decoded then.
  init(_ items: [Item], _ fit: ImageFit, pixels limit: Int, damaged: Damaged) throws {
    let results = try ImageList.decode(items, fit, limit)
    checksums = zip(items, results).map { ($0.url, $1.digits) }
    for (item, result) in zip(items, results) {
      switch result.image {
      case .success(let image):
        images.append(image)
        self.items.append(item)
      case .failure(let error): failures.append(error)
      }
    }
    if let first = failures.first, damaged == .refuse {
      let others = failures.dropFirst()
      let more = others.first.map {
        "; \(grouped(others.count)) more \(others.count == 1 ? "file" : "files") cannot be decoded, such as "
          + URL(fileURLWithPath: $0.path).lastPathComponent
      }
      throw FileError(first.path, "\(first.reason)\(more ?? ""); data.damaged=skip leaves such files out")
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

  private static func decode(_ items: [Item], _ fit: ImageFit, _ limit: Int) throws -> [Decoded] {
    // Where no size is set, or colours follow a grey picture, the first says little about the others.
    let taken = Atomic<Int>(0)
    let results = [Decoded](unsafeUninitializedCapacity: items.count) { buffer, count in
      nonisolated(unsafe) let results = buffer
      DispatchQueue.concurrentPerform(iterations: items.count) { position in
        let url = items[position].url
        var result = Decoded(image: .failure(FileError(url.path, "was not read")))
        if UInt64(taken.load(ordering: .relaxed)) <= fit.memory { result = decode(url, fit, limit) }
        if case .success(let image) = result.image { taken.add(image.pixels.count, ordering: .relaxed) }
        (results.baseAddress! + position).initialize(to: result)
      }
      count = items.count
    }
    if UInt64(taken.load(ordering: .relaxed)) > fit.memory,
      let most = results.compactMap({ try? $0.image.get() }).max(by: { $0.pixels.count < $1.pixels.count })
    {
      try fit.requireMemory(for: items.count, height: most.height, width: most.width, channels: most.channels)
    }
    return results
  }

  /// Decodes one file.
  static func decode(_ url: URL, _ fit: ImageFit, _ limit: Int) -> Decoded {
    var digits = ""
    let image = Result { () throws(FileError) in
      do {
        let bytes = try ByteReader(url).readAll(within: .usual)
        digits = try Checksum(.sha256, of: bytes).digits
        let image = try DecodedImage(bytes, limit: limit, background: fit.background, path: url.path)
        return try fit.fit(image, path: url.path)
      } catch let error as FileError {
        throw error
      } catch {
        throw FileError(url.path, "cannot be read: \(error)")
      }
    }
    return Decoded(image: image, digits: digits)
  }

  /// Whether one of them has colours.
  var haveColours: Bool { images.contains { $0.channels == 3 } }

  /// Returns the examples, with as many channels: 1 or 3. The list has no pictures afterwards.
  /// - Throws: `DatasetError` where there are none.
  mutating func takeExamples(channels: Int) throws -> Examples {
    guard let first = images.first else { throw DatasetError("found no pictures, expected at least one") }
    let (height, width, total) = (first.height, first.width, images.count)
    var bytes = Data(capacity: height * width * channels * total)
    // The last first, so that each picture's memory is free once it is copied.
    images.reverse()
    while let image = images.popLast() {
      // Channels apart.
      for channel in 0..<channels {
        if image.channels == 1 {
          bytes.append(contentsOf: image.pixels)
        } else {
          bytes.append(
            contentsOf: stride(from: channel, to: image.pixels.count, by: image.channels).map { image.pixels[$0] })
        }
      }
    }
    let inputs = try Tensor(bytes: bytes, shape: [total, channels, height, width], dtype: .uint8)
    let labels = items.compactMap(\.label)
    return try Examples(inputs: inputs, labels: labels.isEmpty ? nil : Tensor(labels.map(Int64.init)))
  }
}
