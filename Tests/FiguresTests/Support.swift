import Files
import Foundation

@testable import Figures

#if canImport(FoundationXML)
  import FoundationXML
#endif

let hasGnuplot = Command("gnuplot").program != nil

/// What gnuplot makes of pixels with lettering.
func drawn(_ lettered: LetteredPicture) throws -> (picture: Picture, svg: Data) {
  let (png, svg) = try Gnuplot.draw(Drawing(under: lettered.layer))
  return (try Picture(png: png), svg)
}

/// Whether a parser of XML finds nothing wrong.
func isXML(_ data: Data) -> Bool { XMLParser(data: data).parse() }

/// The texts of an SVG file in their order, as a parser of XML reads them.
func texts(_ svg: Data) -> [String] {
  final class Reader: NSObject, XMLParserDelegate {
    var texts: [String] = []
    var isText = false
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      guard name == "text" else { return }
      isText = true
      texts.append("")
    }
    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      if name == "text" { isText = false }
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) {
      if isText { texts[texts.count - 1] += string }
    }
  }
  let reader = Reader()
  let parser = XMLParser(data: svg)
  parser.delegate = reader
  return parser.parse() ? reader.texts : []
}

/// How many pixels have a colour.
func count(_ color: Color, in picture: Picture) -> Int {
  stride(from: 0, to: picture.pixels.count, by: 3)
    .count { Color(picture.pixels[$0], picture.pixels[$0 + 1], picture.pixels[$0 + 2]) == color }
}
