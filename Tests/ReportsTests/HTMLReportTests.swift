import Foundation
import Testing

@testable import Reports

private let hostile = "<script>alert('x')</script> & \"quotes\""

private let report = HTMLReport(
  title: hostile, subtitle: hostile, summary: [.init(hostile, hostile, note: hostile)],
  measurements: [.init("accuracy", "99.1 %")], diagnostics: [.init("acceptance rate", "0.44")],
  figures: [
    .init("figures/a b#c.png", caption: hostile), .init("javascript:alert(1)", caption: "x\u{338}\"\u{338}<\u{338}"),
  ],
  recipe: "encoder: {use: resnet}\n# " + hostile)

/// The tags of a page, in order, and the text between them.
private func tags(_ html: String) -> [String] {
  html.split(separator: "<").dropFirst().map { String($0.prefix { $0 != ">" }) }
}

@Test func textIsNeverMarkup() {
  #expect(!report.html.contains("<script"))
  #expect(report.html.components(separatedBy: "&lt;script&gt;").count - 1 == 9)
  #expect(report.html.contains("&amp; &quot;quotes&quot;"))
  // A browser sees scalars: none of the accented signs may remain a sign.
  let scalars = Array(report.html.unicodeScalars)
  #expect(!zip(scalars, scalars.dropFirst()).contains { ($0 == "\"" || $0 == "<") && $1 == "\u{338}" })
}

@Test func everyTagIsClosedAgain() {
  var open: [String] = []
  for tag in tags(report.html) where !tag.hasPrefix("!") {
    let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber })
    if ["meta", "img"].contains(name) { continue }
    if tag.hasPrefix("/") { #expect(open.popLast() == name) } else { open.append(name) }
  }
  #expect(open.isEmpty)
}

@Test func aPageAsksNothingOfTheNetwork() {
  #expect(!report.html.contains("http") && !report.html.contains("url(") && !report.html.contains("@import"))
  let sources = tags(report.html).filter { $0.hasPrefix("img") }
  #expect(sources.count == 2 && sources.allSatisfy { $0.contains("src=\"./") })
  #expect(sources[0].contains("./figures/a%20b%23c.png"))
}

@Test func emptySectionsAreLeftOut() {
  let html = HTMLReport(title: "run").html
  #expect(!html.contains("<h2>") && html.contains("<h1>run</h1>"))
}

@Test func recipesKeepTheirLines() {
  #expect(report.html.contains("<pre><code>encoder: {use: resnet}\n# "))
}

@Test func aReportBecomesAFile() throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID()).html")
  defer { try? FileManager.default.removeItem(at: url) }
  try report.write(to: url)
  #expect(try String(contentsOf: url, encoding: .utf8) == report.html)
}
