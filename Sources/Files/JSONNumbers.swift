import Foundation

extension JSONEncoder {
  /// Returns an encoder that writes the numbers for which JSON has no sign as `"nan"`, `"inf"` and `"-inf"`.
  public static func ofAnyNumbers(_ formatting: OutputFormatting) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }
}

extension JSONDecoder {
  /// Returns a decoder that reads what `JSONEncoder.ofAnyNumbers` writes.
  public static func ofAnyNumbers() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}
