/// A real file to start from: its pieces, and how they make a file. A piece is changed before checksums and lengths are
/// computed, so that faults behind those are reached too; the whole file is changed after.
struct Original {
  let pieces: [[UInt8]]
  let assemble: @Sendable ([[UInt8]]) -> [UInt8]

  init(_ pieces: [[UInt8]], assemble: @escaping @Sendable ([[UInt8]]) -> [UInt8]) {
    (self.pieces, self.assemble) = (pieces, assemble)
  }

  /// A file of one piece.
  init(_ bytes: [UInt8]) { self.init([bytes]) { $0[0] } }
  init(_ text: String) { self.init(Array(text.utf8)) }

  /// The file with one to six changes.
  func mutated(with others: [Original], by noise: inout Noise) -> [UInt8] {
    var pieces = pieces
    let count = 1 + noise.below(noise.oneIn(3) ? 6 : 2)
    let inside = !noise.oneIn(3)
    if inside {
      for _ in 0..<count {
        let place = noise.below(pieces.count)
        pieces[place].mutate(with: noise.pick(others).pieces, by: &noise)
      }
      return assemble(pieces)
    }
    var file = assemble(pieces)
    for _ in 0..<count {
      let other = noise.pick(others)
      file.mutate(with: [other.assemble(other.pieces)], by: &noise)
    }
    return file
  }
}

/// Numbers and words that readers stumble over.
private let tokens = [
  "-1", "0", "1", "-0", "0.5", "1e300", "-1e300", "1e-320", "1e999", "nan", "NaN", "inf", "-inf", "true", "false",
  "null", "~",
  "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "4294967296",
  "2147483648", "01",
  "+1", "0x10", "1_000", "\"\"", "\"nan\"", "[]", "{}", "''", "[", "]", "{", "}", ":", ",", "\n", "\r\n", "\t", "\"",
  "'", "\\",
  "\u{1b}[2J", "\u{0}", "\u{fffd}", "ł", "../..", "- ", "&a ", "*a", "<<: *a", "? ", "# ", "|\n", "!!binary ", "%",
  "---\n", "...\n",
]

extension [UInt8] {
  /// The longest that a changed file gets.
  private static var limit: Int { 1 << 16 }

  /// One change: bits, bytes, numbers, pieces left out, doubled, moved, or taken from another file.
  fileprivate mutating func mutate(with others: [[UInt8]], by noise: inout Noise) {
    let place = noise.below(count + 1)
    /// Most pieces are small.
    func length(_ noise: inout Noise, upTo bound: Int) -> Int {
      Swift.min(bound, noise.oneIn(4) ? noise.below(bound + 1) : 1 + noise.below(16))
    }
    let end = place + length(&noise, upTo: count - place)
    switch noise.below(12) {
    case 0, 1: if place < count { self[place] ^= 1 << UInt8(noise.below(8)) }
    case 2:
      if place < count { self[place] = noise.pick([0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: noise.next())]) }
    case 3: removeSubrange(place..<end)
    case 4: removeSubrange(place...)
    case 5:
      let copies = noise.oneIn(8) ? noise.below(2000) : 1 + noise.below(3)
      let piece = Array(self[place..<end])
      insert(contentsOf: [[UInt8]](repeating: piece, count: piece.isEmpty ? 0 : copies).joined(), at: place)
    case 6: insert(contentsOf: noise.pick(tokens).utf8, at: place)
    case 7, 8: replaceNumber(by: &noise)
    case 9:
      let other = noise.pick(others)
      let from = noise.below(other.count + 1)
      insert(contentsOf: other[from..<(from + length(&noise, upTo: other.count - from))], at: place)
    case 10:
      // A field of two, four or eight bytes, little or big.
      let width = noise.pick([2, 4, 8])
      guard place + width <= count else { return }
      let value = noise.pick([0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, .max, .max >> 1, UInt64(count)])
      let bytes = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
      replaceSubrange(place..<(place + width), with: noise.oneIn(2) ? bytes : bytes.reversed())
    default:
      let piece = Array(self[place..<end])
      removeSubrange(place..<end)
      insert(contentsOf: piece, at: noise.below(count + 1))
    }
    if count > Self.limit { removeSubrange(Self.limit...) }
  }

  /// Puts another number, or a word, in the place of a number in the text.
  private mutating func replaceNumber(by noise: inout Noise) {
    func isPart(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || [0x2e, 0x2d, 0x2b].contains(byte) }
    let from = noise.below(count)
    guard let first = indices[from...].first(where: { (0x30...0x39).contains(self[$0]) }) else { return }
    var start = first
    while start > 0, isPart(self[start - 1]) { start -= 1 }
    let end = self[first...].firstIndex { !isPart($0) } ?? count
    replaceSubrange(start..<end, with: noise.pick(tokens).utf8)
  }
}
