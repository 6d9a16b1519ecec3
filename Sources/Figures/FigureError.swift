/// A figure that cannot be drawn: what was found, what was expected, what to do. One sentence.
public struct FigureError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
