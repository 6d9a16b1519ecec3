/// Decodes a setting that is a number or one of some words.
///
/// - Parameters:
///   - number: The value for a number.
///   - words: The value for each word.
/// - Throws: `DecodingError` for anything else, with the words and the nearest one.
public func numberOrWord<Choice>(
  from decoder: any Swift.Decoder, number: (Double) -> Choice, words: KeyValuePairs<String, Choice>
) throws -> Choice {
  let container = try decoder.singleValueContainer()
  if let value = try? container.decode(Double.self) { return number(value) }
  let known = words.map(\.key)
  guard let word = try? container.decode(String.self) else {
    let expected = known.joined(separator: ", ")
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected \(expected) or a number")
  }
  guard let choice = words.first(where: { $0.key == word })?.value else {
    let unknown = UnknownName(word, among: known, of: "value").description
    throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(unknown) A number is fine too.")
  }
  return choice
}
