import Foundation
import LatentKit
import Testing

@testable import Figures

/// Texts that mean something to gnuplot, to a shell, to a terminal or to XML.
private let odd = [
  "a_b^2{x}", "it's \"quoted\"", "back\\slash\\n", "@GPVAL_VERSION", "&{~}#$%d", "`date`", "<b>&amp;</b>", "$x",
  "100 %",
  "END", "Łódź αβγ Жук", "\\101\\", "|;&&",
]

@Test(.enabled(if: hasGnuplot)) func textsAppearInTheFigureAsTheyAre() throws {
  let images = try Tensor.zeros([odd.count, 1, 28, 28])
  let (_, svg) = try drawn(ImageGrid(images, columns: 1, rowLabels: odd).lettered)
  #expect(texts(svg) == odd)
}

@Test(.enabled(if: hasGnuplot)) func namesAreNeverRunAsCommands() throws {
  let witness = FileManager.default.temporaryDirectory.appendingPathComponent("ran-\(UUID())")
  defer { try? FileManager.default.removeItem(at: witness) }
  let touch = "touch \(witness.path)"
  let attacks = [
    "`\(touch)`", "'.system('\(touch)').'", "\".system('\(touch)').\"", "x'\n!\(touch)\n'",
    "x\"\nsystem '\(touch)'\n\"",
    "\\\".system('\(touch)').\\\"", "\nEND\n!\(touch)\n", "\\`\(touch)\\`", "\r!\(touch)\r", "\u{2028}!\(touch)",
  ]
  for attack in attacks {
    let points = [(x: 1.0, y: 2.0), (x: 2.0, y: 1.0)]
    let line = LinePlot(title: attack, xLabel: attack, yLabel: attack, series: [.init(attack, points)])
    let scatter = ScatterPlot(title: attack, xLabel: attack, yLabel: attack, groups: [.init(attack, points)])
    let images = try Tensor.zeros([1, 1, 28, 28])
    _ = try Gnuplot.draw(LinePlot.drawing([line]))
    _ = try Gnuplot.draw(ScatterPlot.drawing([scatter]))
    _ = try Gnuplot.draw(SpherePlot.drawing([SpherePlot(title: attack, points: [[1, 0]])]))
    _ = try drawn(ImageGrid(images, rowLabels: [attack], columnLabels: [attack], caption: attack).lettered)
    _ = try drawn(Montage(rows: [[.init(attack, Picture(width: 300, height: 9))]], caption: attack).lettered)
    let map = try HeatMap(
      .zeros([1, 1]), title: attack, rowLabels: [attack], columnLabels: [attack], xLabel: attack, yLabel: attack)
    _ = try Gnuplot.draw(map.drawing().drawing)
    #expect(!FileManager.default.fileExists(atPath: witness.path), "\(attack)")
  }
}

@Test(.enabled(if: hasGnuplot)) func whatNobodyCanSeeIsLeftOut() throws {
  let text = "a\u{1B}[31mb\u{7}\u{0}\u{202E}c\u{200B}\u{E000}\u{50000}\td"
  let (_, svg) = try drawn(ImageGrid(.zeros([1, 1, 28, 28]), rowLabels: [text]).lettered)
  #expect(isXML(svg))
  #expect(texts(svg) == ["a [31mb  c\u{FFFD}\u{FFFD} d"])
}

@Test(.enabled(if: hasGnuplot)) func lettersThatNoFontHasCoverNothing() throws {
  // No font has letters of every script of the first planes at once, so question marks stand for them.
  let rare = "\u{13000}\u{12000}\u{1B000}\u{A4D0}\u{1E900}"
  let (picture, svg) = try drawn(ImageGrid(.zeros([2, 1, 28, 28]), columns: 1, rowLabels: [rare, "b"]).lettered)
  #expect(texts(svg) == ["?????", "b"])
  let edge = (0..<picture.height).flatMap { [picture[0, $0], picture[picture.width - 1, $0]] }
  #expect(edge.allSatisfy { $0 == .white })
}

@Test func quotedTextHoldsNothingThatEndsTheQuotes() {
  for text in odd + [String(UnicodeScalarView((0..<256).compactMap { UnicodeScalar($0) }))] {
    let inner = Lettering.quoted(text).dropFirst().dropLast()
    #expect(!inner.contains { "\"'`@$#%{}&~^_\n\r".contains($0) }, "\(inner)")
    // Read back as gnuplot reads it: three octal digits after each backslash, or n.
    var read = ""
    var rest = Array(inner.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        read.unicodeScalars.append(scalar)
        continue
      }
      if rest.first == "n" {
        read += "\n"
        rest.removeFirst()
      } else {
        let code = String(String.UnicodeScalarView(rest.prefix(3)))
        read.unicodeScalars.append(Unicode.Scalar(UInt8(code, radix: 8) ?? 0))
        rest = rest.dropFirst(3)
      }
    }
    #expect(read == Lettering.cleaned(text))
  }
}

private typealias UnicodeScalarView = String.UnicodeScalarView

@Test func longNamesAreCutAndSaySo() {
  let name = String(repeating: "Ornithorhynchus ", count: 20)
  let short = Lettering.shortened(name, to: 150)
  #expect(short.hasSuffix("…") && name.hasPrefix(short.dropLast()))
  #expect(Lettering.width(of: short) <= 150 && Lettering.width(of: short) > 100)
  #expect(Lettering.shortened("short", to: 150) == "short")
  #expect(Lettering.shortened("two\nlines", to: 150) == "two lines")
}

@Test func captionsBreakBetweenWords() {
  let text = "one two three four five supercalifragilistic six"
  let lines = Lettering.lines(of: text, width: 130, atMost: 9)
  #expect(lines.joined(separator: " ") == text)
  #expect(lines.count > 2 && lines.allSatisfy { Lettering.width(of: $0) <= 130 })
  let few = Lettering.lines(of: text, width: 130, atMost: 2)
  #expect(few.count == 2 && few[1].hasSuffix("…"))
  #expect(Lettering.lines(of: " \n ", width: 130, atMost: 2) == [])
  #expect(Lettering.lines(of: "a\nb", width: 130, atMost: 2) == ["a", "b"])
}

@Test(.enabled(if: hasGnuplot)) func linesAreNoWiderThanEstimated() throws {
  for line in [
    "WWWWWWWW", "illiilli", "Ankle boot", "0123456789", "ŁÓDŹ ąęć", "@%@%MMmm", "training/reconstruction error",
  ] {
    var layer = try Layer(width: 600.0, height: 40.0)
    layer.text(line, x: 10, y: 20)
    let picture = try Picture(png: Gnuplot.draw(Drawing(under: layer)).png)
    let dark = (0..<600).filter { x in (0..<40).contains { picture[x, $0] != .white } }
    let width = Double((dark.max() ?? 0) - 10)
    #expect(width > 20 && width <= Lettering.width(of: line) + 1, "\(line): \(width), \(Lettering.width(of: line))")
  }
}
