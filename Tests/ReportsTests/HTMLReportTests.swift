import Foundation
import Testing

@testable import Reports

private let hostile = "<script>alert('x')</script> & \"quotes\""

private let report = HTMLReport(
  title: hostile, subtitle: hostile, summary: [.init(hostile, hostile, note: hostile)],
  measurements: [.init("accuracy", "99.1 %")],
  grids: [.init("scores", head: ["", "a"], rows: [["b", "1"]], path: "tables/scores.csv")],
  diagnostics: [.init("acceptance rate", "0.44")],
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

@Test func aTableIsShownUpToALimitThatIsSaid() {
  let many = HTMLReport.Grid(
    hostile, head: ["row"] + (0..<20).map { "c\($0)" },
    rows: (0..<120).map { row in ["r\(row)"] + (0..<20).map { "\(row).\($0)" } }, path: "tables/x & y.csv")
  let few = HTMLReport.Grid(
    "few", head: ["row", hostile], rows: [[hostile, "1"], ["b", hostile]], path: "tables/few.csv")
  let html = HTMLReport(title: "run", grids: [many, few]).html
  #expect(!html.contains("<script") && html.components(separatedBy: "&lt;script&gt;").count - 1 == 4)
  #expect(html.contains("<tr><th scope=\"row\">r49</th><td>49.0</td>") && !html.contains("r50"))
  #expect(html.contains("<td>49.14</td></tr>") && !html.contains("49.15"))
  #expect(html.contains("50 of 120 rows, 15 of 20 columns; all are in tables/x &amp; y.csv"))
  #expect(html.components(separatedBy: "all are in").count - 1 == 1)
  #expect(html.components(separatedBy: "<table class=\"grid\">").count - 1 == 2)
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
