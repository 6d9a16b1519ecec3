import CCrypto
import Foundation

/// A checksum of some bytes, computed by libcrypto. It finds damage; only SHA-256 also finds forgery.
public struct Checksum: Hashable, Sendable, CustomStringConvertible {
  /// The algorithms that data sets are published with.
  public enum Algorithm: String, Sendable {
    case md5, sha256
  }

  /// The digest that it is.
  public let algorithm: Algorithm
  /// Hexadecimal digits in lower case: 32 for MD5, 64 for SHA-256.
  public let digits: String

  private init(_ algorithm: Algorithm, digits: String) {
    (self.algorithm, self.digits) = (algorithm, digits.lowercased())
  }

  /// Returns a published MD5 checksum.
  public static func md5(_ digits: String) -> Checksum { Checksum(.md5, digits: digits) }
  /// Returns a published SHA-256 checksum.
  public static func sha256(_ digits: String) -> Checksum { Checksum(.sha256, digits: digits) }

  /// Computes the checksum of some bytes.
  /// - Throws: `ChecksumError` where libcrypto refuses the algorithm, as it does MD5 in FIPS mode.
  public init(_ algorithm: Algorithm, of data: Data) throws {
    let sum = try RunningChecksum(algorithm)
    try data.withUnsafeBytes { try sum.update($0) }
    self.init(algorithm, digits: try sum.digits())
  }

  /// Computes the checksum of bytes that come in pieces.
  ///
  /// - Parameter pieces: Calls its argument with each piece in turn.
  /// - Throws: As `init(_:of:)`, and what `pieces` throws.
  public init(_ algorithm: Algorithm, ofPieces pieces: ((Data) throws -> Void) throws -> Void) throws {
    let sum = try RunningChecksum(algorithm)
    try pieces { try $0.withUnsafeBytes { try sum.update($0) } }
    self.init(algorithm, digits: try sum.digits())
  }

  /// Computes the checksum of a file, read piece by piece.
  /// - Throws: `FileError` where it cannot be read, `ChecksumError` where libcrypto refuses the algorithm.
  public init(_ algorithm: Algorithm, of file: URL) throws {
    let sum = try RunningChecksum(algorithm)
    do {
      let handle = try FileHandle(forReadingFrom: file)
      defer { try? handle.close() }
      while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
        try piece.withUnsafeBytes { try sum.update($0) }
      }
    } catch let error as ChecksumError {
      throw error
    } catch {
      throw FileError(file.path, "cannot be read for its checksum: \(systemReason(of: error))")
    }
    self.init(algorithm, digits: try sum.digits())
  }

  /// `md5 d41d8cd98f00b204e9800998ecf8427e`
  public var description: String { "\(algorithm.rawValue) \(digits)" }
}

/// A checksum of the bytes so far.
private final class RunningChecksum {
  private let algorithm: Checksum.Algorithm
  private let context = EVP_MD_CTX_new()

  init(_ algorithm: Checksum.Algorithm) throws {
    self.algorithm = algorithm
    let method =
      switch algorithm {
      case .md5: EVP_md5()
      case .sha256: EVP_sha256()
      }
    try check(EVP_DigestInit_ex(context, method, nil))
  }

  deinit { EVP_MD_CTX_free(context) }

  func update(_ bytes: UnsafeRawBufferPointer) throws {
    try check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
  }

  func digits() throws -> String {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    try check(EVP_DigestFinal_ex(context, &bytes, &count))
    return bytes.prefix(Int(count)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private func check(_ status: Int32) throws {
    guard status == 1 else {
      throw ChecksumError(
        description: "libcrypto cannot compute \(algorithm.rawValue) checksums; check whether it runs in FIPS mode")
    }
  }
}

/// A checksum that libcrypto cannot compute.
public struct ChecksumError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, what to do.
  public let description: String
}
