import Foundation
import Testing

import Datasets

@Test(arguments: [
  // RFC 1321, appendix A.5.
  ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
  ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
  ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
  ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
  (String(repeating: "1234567890", count: 8), "57edf4a22be3c955ac49da2e2107b67a"),
])
func checksumsMatchTheStandard(text: String, expected: String) {
  #expect(MD5.digest(of: Data(text.utf8)) == expected)
}

// Lengths around the ends of blocks: hashlib.md5(bytes(i % 251 for i in range(count))).hexdigest() in Python.
@Test(arguments: [
  (55, "6912ee65fff2d9f9ce2508cddf8bcda0"),
  (56, "51fdd1acda72405dfdfa03fcb85896d7"),
  (57, "5320ef4c17ef34a0cf2db763338d25eb"),
  (63, "48a6295221902e8e0938f773a7185e72"),
  (64, "b2d3f56bc197fd985d5965079b5e7148"),
  (65, "8bd7053801c768420faf816fadba971c"),
  (119, "1c772251899a7ff007400b888d6b2042"),
  (120, "b7ba1efc6022e9ed272f00b8831e26e6"),
  (1000, "a24f1e3ef66950e1327f210e3997ba2c"),
])
func checksumsMatchPythonAroundBlocks(count: Int, expected: String) {
  let data = Data((0..<count).map { UInt8($0 % 251) })
  #expect(MD5.digest(of: data) == expected)
  for piece in [1, 7, 63, 64, 65] {
    var sum = MD5()
    var rest = data
    while !rest.isEmpty {
      rest.prefix(piece).withUnsafeBytes { sum.update($0) }
      rest = rest.dropFirst(piece)
    }
    #expect(sum.digest() == expected)
  }
}

@Test func checksumOfAFileIsThatOfItsBytes() throws {
  try withFolder { folder in
    let file = folder.appendingPathComponent("file")
    let bytes = noise(3_000_001)
    try file.write(bytes)
    #expect(try MD5.digest(of: file) == MD5.digest(of: Data(bytes)))
    #expect(message { _ = try MD5.digest(of: folder.appendingPathComponent("missing")) }?.contains("missing") == true)
  }
}
