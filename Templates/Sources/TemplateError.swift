/// A plugin or a package that cannot be made from its template. One sentence.
public struct TemplateError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
  /// Creates an error from one sentence.
  public init(_ description: String) { self.description = description }
}
