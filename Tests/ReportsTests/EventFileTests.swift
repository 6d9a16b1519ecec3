import Files
import Foundation
import Testing

@testable import Reports

// A reader written from the descriptions of TFRecord and event.proto, so that writer and reader share no code.

private struct Event: Equatable {
  var time = 0.0
  var step = 0
  var version: String?
  var tag: String?
  var value: Float?
  var image: (height: Int, width: Int, colors: Int, png: Data)?

  static func == (a: Event, b: Event) -> Bool {
    a.time == b.time && a.step == b.step && a.version == b.version && a.tag == b.tag && a.value == b.value
      && a.image?.png == b.image?.png
  }
}

private struct NotARecord: Error {}

private func slowChecksum(_ bytes: [UInt8]) -> UInt32 {
  var remainder: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    for bit in 0..<8 {
      let feedback = (remainder ^ UInt32(byte >> bit)) & 1
      remainder >>= 1
      if feedback == 1 { remainder ^= 0x82F6_3B78 }
    }
  }
  let checksum = remainder ^ 0xFFFF_FFFF
  return ((checksum >> 15) | (checksum << 17)) &+ 0xA282_EAD8
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 * 256 + UInt64($1) } }

private func records(_ url: URL) throws -> [[UInt8]] {
  var rest = try [UInt8](Data(contentsOf: url))[...]
  var found: [[UInt8]] = []
  while !rest.isEmpty {
    guard rest.count >= 16 else { throw NotARecord() }
    let length = Int(number(rest.prefix(8)))
    guard rest.count >= 16 + length, number(rest.dropFirst(8).prefix(4)) == slowChecksum(Array(rest.prefix(8))) else {
      throw NotARecord()
    }
    let message = Array(rest.dropFirst(12).prefix(length))
    guard number(rest.dropFirst(12 + length).prefix(4)) == slowChecksum(message) else { throw NotARecord() }
    found.append(message)
    rest = rest.dropFirst(16 + length)
  }
  return found
}

private func fields(_ message: [UInt8]) -> [Int: [UInt8]] {
  var rest = message[...]
  func varint() -> Int {
    var (value, shift) = (0, 0)
    while let byte = rest.popFirst() {
      value |= Int(byte & 127) << shift
      shift += 7
      if byte < 128 { break }
    }
    return value
  }
  var found: [Int: [UInt8]] = [:]
  while !rest.isEmpty {
    let key = varint()
    switch key & 7 {
    case 0: found[key >> 3] = withUnsafeBytes(of: varint()) { Array($0) }
    case 1: (found[key >> 3], rest) = (Array(rest.prefix(8)), rest.dropFirst(8))
    case 5: (found[key >> 3], rest) = (Array(rest.prefix(4)), rest.dropFirst(4))
    default:
      let length = varint()
      (found[key >> 3], rest) = (Array(rest.prefix(length)), rest.dropFirst(length))
    }
  }
  return found
}

private func events(_ url: URL) throws -> [Event] {
  try records(url).map { message in
    let event = fields(message)
    var found = Event()
    found.time = Double(bitPattern: number(event[1, default: []][...]))
    found.step = Int(truncatingIfNeeded: number(event[2, default: []][...]))
    found.version = event[3].map { String(decoding: $0, as: UTF8.self) }
    guard let summary = event[5], let bytes = fields(summary)[1] else { return found }
    let value = fields(bytes)
    found.tag = value[1].map { String(decoding: $0, as: UTF8.self) }
    found.value = value[2].map { Float(bitPattern: UInt32(number($0[...]))) }
    if let image = value[4].map(fields) {
      func integer(_ field: Int) -> Int { Int(number(image[field, default: []][...])) }
      found.image = (integer(1), integer(2), integer(3), Data(image[4, default: []]))
    }
    return found
  }
}

private func temporary(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.appendingPathComponent("events.out.tfevents.0.latentkit"))
}

@Test func checksumIsTheStandardOne() {
  #expect(EventFile.checksum(Data("123456789".utf8)) == 0xE306_9283)
  #expect(EventFile.checksum(Data(repeating: 0, count: 32)) == 0x8A91_36AA)  // RFC 3720, B.4
}

@Test func eventsReadAsTheyWereWritten() throws {
  try temporary { url in
    let file = try EventFile(url, clock: { 1_700_000_000.25 })
    file.scalar("train/mse", 0.125, step: 0)
    file.scalar("strata/łódź", -3e30, step: 300)
    file.scalar("bad", .nan, step: 1 << 40)
    let png = Data((0..<200).map { UInt8($0) })
    file.image("samples", png: png, width: 30, height: 20, step: 7)
    try file.close()

    let found = try events(url)
    #expect(found.map(\.version) == ["brain.Event:2", nil, nil, nil, nil])
    #expect(found.map(\.tag) == [nil, "train/mse", "strata/łódź", "bad", "samples"])
    #expect(found.map(\.step) == [0, 0, 300, 1 << 40, 7])
    #expect(found[1].value == 0.125 && found[2].value == -3e30 && found[3].value?.isNaN == true)
    #expect(found.allSatisfy { $0.time == 1_700_000_000.25 })
    let image = try #require(found[4].image)
    #expect((image.height, image.width, image.colors) == (20, 30, 3))
    #expect(image.png == png)
  }
}

@Test func anOpenedFileGoesOn() throws {
  try temporary { url in
    for step in 0..<3 {
      let file = try EventFile(url, clock: { Double(step) })
      file.scalar("loss", Double(step), step: step)
      try file.close()
    }
    #expect(try events(url).map(\.step) == [0, 0, 1, 2])
    #expect(try events(url).count { $0.version != nil } == 1)
  }
}

@Test func aTornLastRecordIsCutOffWhereverItTore() throws {
  try temporary { url in
    let file = try EventFile(url, clock: { 0 })
    file.scalar("loss", 1, step: 1)
    try file.flush()
    let whole = try Data(contentsOf: url)
    file.scalar("loss", 2, step: 2)
    try file.close()
    let both = try Data(contentsOf: url)
    for length in whole.count..<both.count {
      try both.prefix(length).write(to: url)
      let again = try EventFile(url, clock: { 0 })
      #expect(try Data(contentsOf: url) == whole)
      again.scalar("loss", 2, step: 2)
      try again.close()
      #expect(try Data(contentsOf: url) == both)
    }
  }
}

@Test func aFileThatToreInItsFirstRecordBeginsAgain() throws {
  try temporary { url in
    try EventFile(url, clock: { 0 }).close()
    let whole = try Data(contentsOf: url)
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: url)
      try EventFile(url, clock: { 0 }).close()
      #expect(try Data(contentsOf: url) == whole)
    }
  }
}

@Test func damageInsideIsFoundByItsChecksum() throws {
  try temporary { url in
    let file = try EventFile(url, clock: { 0 })
    for step in 1...3 { file.scalar("loss", Double(step), step: step) }
    try file.close()
    let whole = try Data(contentsOf: url)
    let size = (whole.count - 40) / 3
    var damaged = whole
    damaged[whole.count - size + 20] ^= 4  // in the message of the last record
    try damaged.write(to: url)
    try EventFile(url, clock: { 0 }).close()
    #expect(try events(url).map(\.step) == [0, 1, 2])
  }
}

@Test func eventsAfterACheckpointAreForgottenOnRequest() throws {
  try temporary { url in
    let file = try EventFile(url, clock: { 0 })
    for step in 1...9 { file.scalar("loss", Double(step), step: step) }
    try file.close()
    let again = try EventFile(url, keepingSteps: 5, clock: { 0 })
    again.scalar("loss", 60, step: 6)
    try again.close()
    #expect(try events(url).map(\.step) == [0, 1, 2, 3, 4, 5, 6])
    #expect(try events(url).last?.value == 60)
  }
}

@Test func anotherFileIsRefusedAndLeftAsItWas() throws {
  try temporary { url in
    let text = Data("these are notes about the run, and no events at all; they must stay".utf8)
    try text.write(to: url)
    let error = #expect(throws: FileError.self) { try EventFile(url) }
    #expect(error?.description.contains("not a TensorBoard event file") == true)
    #expect(try Data(contentsOf: url) == text)
  }
}

@Test func aMissingFolderIsAFileError() throws {
  try temporary { url in
    #expect(throws: FileError.self) { try EventFile(url.deletingLastPathComponent().appendingPathComponent("no/file")) }
    #expect(throws: FileError.self) { try EventFile(url.deletingLastPathComponent()) }
  }
}

@Test func aForgottenFileKeepsItsEvents() throws {
  try temporary { url in
    do { try EventFile(url, clock: { 0 }).scalar("loss", 1, step: 3) }
    #expect(try events(url).map(\.step) == [0, 3])
  }
}

@Test func aClosedFileTakesNoMore() throws {
  try temporary { url in
    let file = try EventFile(url)
    try file.close()
    try file.close()
    file.scalar("loss", 1, step: 1)
    #expect(throws: FileError.self) { try file.flush() }
  }
}
