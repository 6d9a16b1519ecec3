import Datasets
import Files
import Foundation
import Testing

@Test(arguments: [
  // RFC 1321, appendix A.5, and FIPS 180-4's examples.
  (Checksum.md5("d41d8cd98f00b204e9800998ecf8427e"), ""),
  (.md5("900150983cd24fb0d6963f7d28e17f72"), "abc"),
  (.md5("57edf4a22be3c955ac49da2e2107b67a"), String(repeating: "1234567890", count: 8)),
  (.sha256("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), ""),
  (.sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "abc"),
  (
    .sha256("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
  ),
])
func checksumsMatchTheStandards(expected: Checksum, text: String) throws {
  #expect(try Checksum(expected.algorithm, of: Data(text.utf8)) == expected)
}

@Test func aChecksumIsWrittenInLowerCaseWithItsAlgorithm() {
  #expect(Checksum.md5("D41D8CD98F00B204E9800998ECF8427E").description == "md5 d41d8cd98f00b204e9800998ecf8427e")
}

@Test func checksumOfAFileIsThatOfItsBytes() throws {
  try withFolder { folder in
    let file = folder.appendingPathComponent("file")
    let bytes = noise(3_000_001)
    try file.write(bytes)
    #expect(try Checksum(.md5, of: file) == Checksum(.md5, of: Data(bytes)))
    #expect(try Checksum(.sha256, of: file) == Checksum(.sha256, of: Data(bytes)))
    #expect(try Checksum(.md5, of: file) != Checksum(.md5, of: Data(bytes.dropLast())))
    let missing = folder.appendingPathComponent("missing")
    #expect(message { _ = try Checksum(.md5, of: missing) }?.contains("missing: cannot be read") == true)
  }
}
