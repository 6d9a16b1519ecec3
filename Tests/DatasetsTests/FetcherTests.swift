import Files
import Foundation
import Testing

@testable import Datasets

/// A made set with its real checksums, and the folder that serves it.
private func withServer(_ body: (_ set: DatasetDescription, _ mirror: URL, _ target: URL) throws -> Void) throws {
  let known = try DatasetLibrary.description("mnist")
  try withFolder { folder in
    let mirror = folder.appendingPathComponent("mirror")
    try writeSet(known, in: mirror)
    let files = try known.files.map { file in
      let data = try Data(contentsOf: mirror.appendingPathComponent(file.name))
      return try DatasetDescription.File(name: file.name, checksum: Checksum(.md5, of: data), byteCount: data.count)
    }
    try body(known.with(files), mirror, folder.appendingPathComponent("data"))
  }
}

extension DatasetDescription {
  fileprivate func with(_ files: [File], archiveChecksum: Checksum? = nil) -> DatasetDescription {
    DatasetDescription(
      name: name, title: title, summary: summary, licence: licence, inputShape: inputShape, classNames: classNames,
      trainCount: trainCount, testCount: testCount, files: files, folder: folder, mirrors: mirrors,
      archiveChecksum: archiveChecksum, isEmbedded: isEmbedded, isTransposed: isTransposed, firstLabel: firstLabel)
  }
}

private func fetch(
  _ set: DatasetDescription, _ target: URL, _ mirrors: [URL], _ tools: DatasetFetcher.Tools = .init(),
  progress: (DatasetFetcher.Progress) -> Void = { _ in }
) throws -> [URL] {
  try DatasetFetcher.fetch(set, into: target, from: mirrors.map(\.absoluteString), tools: tools, progress: progress)
}

private func names(_ folder: URL) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

@Test func aFreshDownloadIsWholeAndReported() throws {
  try withServer { set, mirror, target in
    var last: [String: DatasetFetcher.Progress] = [:]
    let files = try fetch(set, target, [mirror]) { last[$0.file] = $0 }
    for (file, known) in zip(files, set.files) {
      #expect(try Data(contentsOf: file) == Data(contentsOf: mirror.appendingPathComponent(known.name)))
      #expect(last[known.name]?.received == known.byteCount)
      #expect(last[known.name]?.expected == known.byteCount)
    }
    #expect(try names(target.appendingPathComponent("mnist")) == set.files.map(\.name).sorted())
    #expect(try DatasetLibrary.load("mnist", from: target).train.count == 12)

    // Nothing is asked of the mirror again.
    try FileManager.default.removeItem(at: mirror)
    #expect(try fetch(set, target, [mirror]) == files)
  }
}

@Test func aPartialDownloadGoesOn() throws {
  try withServer { set, mirror, target in
    let name = set.files[0].name
    let part = target.appendingPathComponent("mnist/\(name).part")
    let whole = try [UInt8](Data(contentsOf: mirror.appendingPathComponent(name)))
    try part.write(Array(whole[..<1000]))
    var least = Int.max
    let files = try fetch(set, target, [mirror]) { if $0.file == name { least = min(least, $0.received) } }
    #expect(least > 1000)
    #expect(try [UInt8](Data(contentsOf: files[0])) == whole)
    #expect(!part.exists)
  }
}

@Test(arguments: ["wrong beginning", "too long", "whole"])
func anyPartialFileEndsInTheRightOne(kind: String) throws {
  try withServer { set, mirror, target in
    let name = set.files[0].name
    let whole = try [UInt8](Data(contentsOf: mirror.appendingPathComponent(name)))
    let start: [UInt8] =
      switch kind {
      case "wrong beginning": noise(500)
      case "too long": noise(whole.count + 10)
      default: whole
      }
    try target.appendingPathComponent("mnist/\(name).part").write(start)
    #expect(try [UInt8](Data(contentsOf: fetch(set, target, [mirror])[0])) == whole)
    #expect(try names(target.appendingPathComponent("mnist")) == set.files.map(\.name).sorted())
  }
}

@Test func aWrongChecksumLeavesNothingUnderTheName() throws {
  try withServer { set, mirror, target in
    let name = set.files[2].name
    let good = try Data(contentsOf: mirror.appendingPathComponent(name))
    try mirror.appendingPathComponent(name).write([1, 2, 3])
    let refused = message { _ = try fetch(set, target, [mirror]) }
    #expect(
      refused?.contains(
        "gave a file with checksum 5289df737df57326fcdd22597afb1fac, expected \(try Checksum(.md5, of: good).digits)")
        == true)
    #expect(refused?.contains("put train-images-idx3-ubyte.gz, ") == true)
    #expect(try names(target.appendingPathComponent("mnist")) == set.files[..<2].map(\.name).sorted())

    // A second mirror helps.
    let other = mirror.deletingLastPathComponent().appendingPathComponent("other")
    try other.appendingPathComponent(name).write([UInt8](good))
    #expect(try Data(contentsOf: fetch(set, target, [mirror, other])[2]) == good)
  }
}

@Test func withoutMirrorOrCurlTheFilesToPutByHandAreNamed() throws {
  try withServer { set, mirror, target in
    let nowhere = mirror.appendingPathComponent("nowhere")
    let refused = message { _ = try fetch(set, target, [nowhere]) }
    #expect(refused?.hasPrefix("could not fetch 'mnist': file://") == true)
    #expect(
      refused?.contains("from https://ossci-datasets.s3.amazonaws.com/mnist/ into \(target.path)/mnist by hand") == true
    )
    let left = try names(target.appendingPathComponent("mnist"))
    #expect(left == [])

    var tools = DatasetFetcher.Tools()
    tools.curl = "no-such-curl"
    let missing = message { _ = try fetch(set, target, [mirror], tools) }
    #expect(missing?.contains("there is no program 'no-such-curl'; install it") == true)
  }
}

@Test(.timeLimit(.minutes(30))) func messagesOfCurlThatFillAPipeStopNothing() throws {
  try withServer { set, mirror, target in
    let chatty = mirror.deletingLastPathComponent().appendingPathComponent("chatty")
    try chatty.write(Array("#!/bin/sh\nhead -c 1048576 /dev/zero | tr '\\0' x >&2\nexec curl \"$@\"\n".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: chatty.path)
    var tools = DatasetFetcher.Tools()
    tools.curl = chatty.path
    #expect(try fetch(set, target, [mirror], tools).count == 4)
  }
}

@Test(.timeLimit(.minutes(30)), arguments: ["exit 7", "kill -9 $$"])
func messagesOfACurlThatFailsAreWhole(end: String) throws {
  try withServer { set, mirror, target in
    let failing = mirror.deletingLastPathComponent().appendingPathComponent("failing")
    // It keeps the pipes open by a program that outlives it, and says no status.
    try failing.write(Array("#!/bin/sh\nsleep 100 &\necho 'went wrong' >&2\n\(end)\n".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: failing.path)
    var tools = DatasetFetcher.Tools()
    tools.curl = failing.path
    let start = Date()
    let found = message { _ = try fetch(set, target, [mirror], tools) }
    #expect(found?.contains(": went wrong; run it again") == true, "\(found ?? "")")
    #expect(Date().timeIntervalSince(start) < 60)
  }
}

private let hasUnzip = ["/usr/bin/unzip", "/usr/local/bin/unzip"].contains { URL(fileURLWithPath: $0).exists }

@Test(.enabled(if: hasUnzip)) func anArchiveIsFetchedAndUnpacked() throws {
  let known = try DatasetLibrary.description("emnist-letters")
  try withFolder { folder in
    let (loose, target) = (folder.appendingPathComponent("loose"), folder.appendingPathComponent("data"))
    try writeSet(known, in: loose)
    let archive = folder.appendingPathComponent("gzip.zip")
    let entries = try names(loose).map {
      (name: "gzip/\($0)", bytes: try [UInt8](Data(contentsOf: loose.appendingPathComponent($0))))
    }
    try archive.write(zip(entries))
    let set = known.with(known.files, archiveChecksum: try Checksum(.md5, of: archive))
    let files = try fetch(set, target, [archive])
    for file in files {
      #expect(try Data(contentsOf: file) == Data(contentsOf: loose.appendingPathComponent(file.lastPathComponent)))
    }
    #expect(try names(target.appendingPathComponent("emnist")) == known.files.map(\.name).sorted())
    #expect(try DatasetLibrary.load("emnist-letters", from: target).train.count == 12)

    try FileManager.default.removeItem(at: target)
    var tools = DatasetFetcher.Tools()
    tools.unzip = "no-such-unzip"
    #expect(
      message { _ = try fetch(set, target, [archive], tools) }?.contains("there is no program 'no-such-unzip'") == true)
    // The archive stays for the next attempt.
    #expect(try names(target.appendingPathComponent("emnist")) == ["emnist.zip"])
  }
}
