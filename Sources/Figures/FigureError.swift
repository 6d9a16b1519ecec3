/// The reason why a figure cannot be drawn.
public struct FigureError: Error, CustomStringConvertible, Equatable {
  /// One sentence: what was found, what was expected, what to do.
  public let description: String
  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}
