import CZip
import Files
import Foundation

/// The arrays of an `.npz` file: a ZIP archive of `.npy` files, stored or deflated, read by libzip.
struct NumpyArchive {
  let path: String
  /// The arrays' names, without `.npy`, in the archive's order.
  let names: [String]
  private let data: Data
  private let limit: UnpackLimit

  /// Reads the archive's directory.
  /// - Parameter limit: How large an array may become.
  /// - Throws: `FileError` for an archive that is truncated or corrupted, or that names an array twice.
  init(_ data: Data, limit: UnpackLimit = .usual, path: String) throws {
    (self.path, self.data, self.limit) = (path, data, limit)
    names = try ZipArchive.read(data, path: path) { archive in
      try archive.names().filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    }
    guard !names.isEmpty else { throw FileError(path, "is a ZIP archive without .npy files, expected NumPy arrays") }
    var seen: Set<String> = []
    if let twice = names.first(where: { !seen.insert($0).inserted }) {
      throw FileError(path, "holds two arrays called '\(twice)'; save the archive again")
    }
  }

  /// Reads one of the arrays.
  /// - Parameter asBytes: Whether values of one byte are to be kept as such, rather than become numbers of four.
  /// - Throws: `FileError` for an array that is truncated or corrupted, or larger than the limit.
  func array(_ name: String, asBytes: Bool = false) throws -> NumpyArray {
    let place = "\(path), array '\(name)'"
    let unpacked = try ZipArchive.read(data, path: path) { try $0.contents(of: "\(name).npy", limit, place: place) }
    return try NumpyArray(unpacked, unpackedWithin: limit, asBytes: asBytes, path: place)
  }
}

/// A ZIP archive in memory, open for reading.
struct ZipArchive {
  private let handle: OpaquePointer

  /// Opens an archive for as long as `body` runs.
  static func read<Result>(_ data: Data, path: String, _ body: (ZipArchive) throws -> Result) throws -> Result {
    try data.withUnsafeBytes { bytes in
      var error = zip_error_t()
      zip_error_init(&error)
      defer { zip_error_fini(&error) }
      guard let source = zip_source_buffer_create(bytes.baseAddress, UInt64(bytes.count), 0, &error),
        let handle = zip_open_from_source(source, ZIP_RDONLY, &error)
      else {
        throw FileError(path, "is truncated or corrupted: \(said(by: &error)); save the archive again")
      }
      defer { zip_discard(handle) }
      return try body(ZipArchive(handle: handle))
    }
  }

  private static func said(by error: UnsafeMutablePointer<zip_error_t>) -> String {
    String(cString: zip_error_strerror(error))
  }

  /// The names of its files, in their order.
  func names() throws -> [String] {
    (0..<UInt64(max(0, zip_get_num_entries(handle, 0)))).compactMap { index in
      zip_get_name(handle, index, UInt32(ZIP_FL_ENC_GUESS)).map { String(cString: $0) }
    }
  }

  /// Returns the unpacked bytes of one of its files.
  func contents(of name: String, _ limit: UnpackLimit, place: String) throws -> Data {
    var facts = zip_stat_t()
    guard zip_stat(handle, name, 0, &facts) == 0 else {
      throw damaged(ZipArchive.said(by: zip_get_error(handle)), place)
    }
    guard [ZIP_CM_STORE, ZIP_CM_DEFLATE].contains(Int32(facts.comp_method)) else {
      throw FileError(place, "is packed by method \(facts.comp_method), expected stored or deflated")
    }
    try limit.check(facts.size, of: place)
    // Deflate shrinks at most 1032 times.
    guard facts.size / 1032 <= facts.comp_size else {
      throw damaged("\(facts.comp_size) bytes cannot hold \(facts.size)", place)
    }
    guard let file = zip_fopen_index(handle, facts.index, 0) else {
      throw damaged(ZipArchive.said(by: zip_get_error(handle)), place)
    }
    defer { zip_fclose(file) }
    var result = Data(count: Int(facts.size))
    let count = result.withUnsafeMutableBytes { zip_fread(file, $0.baseAddress, facts.size) }
    // The checksum is compared at the end, which this read meets.
    var more: UInt8 = 0
    guard count == facts.size, zip_fread(file, &more, 1) == 0 else {
      let error: UnsafeMutablePointer<zip_error_t> = zip_file_get_error(file)
      if zip_error_code_zip(error) == ZIP_ER_CRC { throw damaged("its checksum is wrong", place) }
      let isSaid = zip_error_code_zip(error) != ZIP_ER_OK
      throw damaged(isSaid ? ZipArchive.said(by: error) : "its length is not \(facts.size) bytes", place)
    }
    return result
  }

  private func damaged(_ reason: String, _ place: String) -> FileError {
    FileError(place, "is corrupted: \(reason); save the archive again")
  }
}
