import Files
import Foundation
import Testing

@Test(arguments: [
  ("", "is empty"), ("..", "begins with '.'"), (".hidden", "begins with '.'"), ("../../escaped", "has a '/'"),
  ("a/b", "has a '/'"), ("a\\b", "has a '\\'"), ("-rf", "begins with '-'"), (" a", "begins with ' '"),
  ("a\u{1B}[2Jb", "has the control character \\u{1B}"), ("a\nb", "has the control character \\n"),
  ("a\u{202E}b", "has the control character \\u{202E}"), (String(repeating: "é", count: 65), "has 130 bytes"),
])
func namesThatAreNoneOfOneFolderAreRefused(name: String, reason: String) {
  #expect(FileName.defect(in: name)?.contains(reason) == true, "\(FileName.defect(in: name) ?? "none")")
}

@Test(arguments: ["csae-l", "Table 2, β = 0.04", "a.b", "x_1", "été", String(repeating: "a", count: 128)])
func plainNamesAreTaken(name: String) { #expect(FileName.defect(in: name) == nil) }

@Test func whatATerminalObeysIsWrittenOut() {
  #expect("plain, é, 🙂".shown() == "plain, é, 🙂")
  #expect("a\u{1B}[31m\u{9B}b\r\nc\t".shown(keeping: ["\t"]) == "a\\u{1B}[31m\\u{9B}b\\r\\nc\t")
  #expect("one\ntwo".shown(keeping: ["\n"]) == "one\ntwo")
}

@Test func onlyRegularFilesAreReplaced() throws {
  try inTemporaryFolder { folder in
    let pipe = folder.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let link = folder.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: pipe)
    for url in [pipe, link] {
      let error = #expect(throws: FileError.self) { try AtomicFile.write("text", to: url) }
      #expect(error?.reason.contains("is a pipe, expected a file or a new name") == true)
    }
    #expect(OutputPlace(pipe, followsLinks: false) == .pipe && OutputPlace(link, followsLinks: false) == .link)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "pipe"])
    // A link to a file is replaced, not what it leads to.
    let file = folder.appendingPathComponent("file")
    try AtomicFile.write("old", to: file)
    try FileManager.default.removeItem(at: link)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
    try AtomicFile.write("new", to: link)
    #expect(try String(contentsOf: file, encoding: .utf8) == "old")
    #expect(try String(contentsOf: link, encoding: .utf8) == "new")
  }
}
