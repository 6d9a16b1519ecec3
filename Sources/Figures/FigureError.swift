/// A figure that cannot be drawn: what was found, what was expected, what to do. One sentence.
public struct FigureError: Error, CustomStringConvertible, Equatable {
  /// The sentence that is shown.
  public let description: String
  /// Creates an error from one sentence.
  public init(_ description: String) { self.description = description }
}
