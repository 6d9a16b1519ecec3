import Foundation

/// A setting of a part, declared once: its help, range, name, type and default.
///
///     @Setting("How strong the noise is.", .within(0...1)) public var beta = 0.04
///     @Setting("One of them, or unset for the data's own.", .atLeast(1)) public var classes: Int? = nil
///
/// Every property of a `ComponentConfig` is one. A value outside its range is refused with that range.
@propertyWrapper
public struct Setting<Wrapped: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
  /// The value.
  public var wrappedValue: Wrapped
  let help: String
  let range: SettingRange?
  let usual: SettingRange?

  /// Declares a setting.
  ///
  /// - Parameters:
  ///   - help: One line or two.
  ///   - range: The numbers it takes; nil for any finite one.
  ///   - usual: Those that are surely meant; a warning before training names the others. Nil for all that it takes.
  public init(wrappedValue: Wrapped, _ help: String, _ range: SettingRange? = nil, usually usual: SettingRange? = nil) {
    self.wrappedValue = wrappedValue
    self.help = help
    self.range = range
    self.usual = usual
  }

  public init(from decoder: any Swift.Decoder) throws {
    wrappedValue = try decoder.singleValueContainer().decode(Wrapped.self)
    (help, range, usual) = ("", nil, nil)
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }

  public static func == (a: Setting, b: Setting) -> Bool { a.wrappedValue == b.wrappedValue }
}

extension Setting: Hashable where Wrapped: Hashable {
  public func hash(into hasher: inout Hasher) { hasher.combine(wrappedValue) }
}

/// The description of a setting, whatever its type.
protocol DescribedSetting {
  var help: String { get }
  var range: SettingRange? { get }
  var usual: SettingRange? { get }
  /// The names that it takes, where it is one of a few.
  var choices: [String]? { get }
  /// The type of its values; nil for a type that checks them itself.
  var type: SettingType? { get }
}

extension Setting: DescribedSetting {
  private var valueType: Any.Type { (Wrapped.self as? any OptionalType.Type)?.wrappedType ?? Wrapped.self }

  var choices: [String]? { (valueType as? any Choice.Type)?.names }

  var type: SettingType? {
    switch valueType {
    case is Bool.Type: .bool
    case is Int.Type: .int
    case is Double.Type, is Float.Type: .double
    case is String.Type, is any Choice.Type: .string
    case is [Int].Type: .ints
    case is [Double].Type, is [Float].Type: .doubles
    case is [String].Type: .strings
    default: nil
    }
  }
}

private protocol OptionalType { static var wrappedType: Any.Type { get } }
extension Optional: OptionalType { static var wrappedType: Any.Type { Wrapped.self } }

/// The numbers that a setting takes. Applies to each number of a list; words are checked by the setting's type.
public struct SettingRange: Sendable, Equatable {
  private enum Bound: Equatable { case including(Double), excluding(Double) }
  private var lower: Bound?
  private var upper: Bound?
  private var count: ClosedRange<Int>?

  /// Returns the range between two bounds, both included.
  public static func within(_ range: ClosedRange<Double>) -> SettingRange {
    SettingRange(lower: .including(range.lowerBound), upper: .including(range.upperBound))
  }

  /// Returns the range from the lower bound up to, not including, the upper one.
  public static func within(_ range: Range<Double>) -> SettingRange {
    SettingRange(lower: .including(range.lowerBound), upper: .excluding(range.upperBound))
  }

  /// Returns the range of numbers of at least `bound`.
  public static func atLeast(_ bound: Double) -> SettingRange { SettingRange(lower: .including(bound)) }

  /// Returns the range of more than `bound`, and at most `most`.
  public static func above(_ bound: Double, upTo most: Double? = nil) -> SettingRange {
    SettingRange(lower: .excluding(bound), upper: most.map { .including($0) })
  }

  /// Returns the range of more than `bound`, and less than `other`.
  public static func between(_ bound: Double, _ other: Double) -> SettingRange {
    SettingRange(lower: .excluding(bound), upper: .excluding(other))
  }

  /// Creates a range from the bounds that it has; nil without any. `above` counts before `atLeast`, and `below` before `atMost`.
  public init?(atLeast: Double?, above: Double?, atMost: Double?, below: Double?) {
    lower = above.map { .excluding($0) } ?? atLeast.map { .including($0) }
    upper = below.map { .excluding($0) } ?? atMost.map { .including($0) }
    if lower == nil, upper == nil { return nil }
  }

  private init(lower: Bound? = nil, upper: Bound? = nil) { (self.lower, self.upper) = (lower, upper) }

  /// Returns this range for each number of a list, whose length is in `count`.
  public func each(count: ClosedRange<Int>) -> SettingRange {
    var range = self
    range.count = count
    return range
  }

  /// The bounds that the range includes.
  package var includedEnds: [Double] {
    [lower, upper].compactMap { if case .including(let bound) = $0 { bound } else { nil } }
  }

  /// The least and greatest length of a list; nil for a range of numbers alone.
  package var lengths: ClosedRange<Int>? { count }

  /// The range in words: `0 to 1`, `above 0`, `1 to 16 numbers, each 1 or more`.
  public var text: String {
    let numbers =
      switch (lower, upper) {
      case (.including(let a), .including(let b)): "\(numeral(a)) to \(numeral(b))"
      case (.including(let a), .excluding(let b)): "\(numeral(a)) up to, not including, \(numeral(b))"
      case (.excluding(let a), .including(let b)): "above \(numeral(a)), up to \(numeral(b))"
      case (.excluding(let a), .excluding(let b)): "above \(numeral(a)) and below \(numeral(b))"
      case (.including(let a), nil): "\(numeral(a)) or more"
      case (.excluding(let a), nil): "above \(numeral(a))"
      case (nil, .including(let b)): "at most \(numeral(b))"
      case (nil, .excluding(let b)): "below \(numeral(b))"
      case (nil, nil): "any finite number"
      }
    guard let count else { return numbers }
    let many =
      count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
    return "\(many) numbers, each \(numbers)"
  }

  /// Returns whether a value is in the range.
  public func admits(_ value: Value) -> Bool {
    switch value {
    case .int(let number): admits(Double(number))
    case .double(let number): admits(number)
    case .array(let values): (count?.contains(values.count) ?? true) && values.allSatisfy(admits)
    default: true
    }
  }

  private func admits(_ number: Double) -> Bool {
    let isAbove =
      switch lower {
      case .including(let bound): number >= bound
      case .excluding(let bound): number > bound
      case nil: true
      }
    let isBelow =
      switch upper {
      case .including(let bound): number <= bound
      case .excluding(let bound): number < bound
      case nil: true
      }
    return number.isFinite && isAbove && isBelow
  }
}

/// The number as a person would write it: `1000000`, `0.5`, `1e15`, `1e-9`.
private func numeral(_ number: Double) -> String {
  if number == number.rounded(), abs(number) < 1e15 { return "\(Int(number))" }
  let digits = (0...16).lazy.map { String(format: "%.\($0)e", number) }.first { Double($0) == number } ?? "\(number)"
  return (1e-4..<1e15).contains(abs(number))
    ? "\(number)" : digits.replacing("e+", with: "e").replacing(/e(-?)0+/) { "e\($0.1)" }
}

/// A setting as a catalog shows it.
public struct SettingDescription: Sendable, Equatable {
  /// The name in recipes.
  public let name: String
  /// The default; `null` where it is unset.
  public let fallback: Value
  /// The help text, one line or two.
  public let help: String
  /// The numbers it takes; nil where it takes none, or any finite one.
  public let range: SettingRange?
  /// The numbers of the range that are surely meant; nil for all of them.
  public let usual: SettingRange?
  /// The names that it takes, where it is one of a few.
  public let choices: [String]?

  /// The type of its values; nil where a component's own type checks them.
  public let type: SettingType?

  /// Creates a setting of a part that is made by a closure.
  ///
  /// - Parameters:
  ///   - fallback: The default; `null` for a setting that is unset by default, which needs a `type`.
  ///   - type: The type of its values; that of the default unless said.
  ///   - usual: The numbers that are surely meant; a warning before training names the others.
  public init(
    _ name: String, default fallback: Value, _ help: String, _ range: SettingRange? = nil, choices: [String]? = nil,
    type: SettingType? = nil, usually usual: SettingRange? = nil
  ) {
    (self.name, self.help, self.range, self.choices, self.usual) = (name, help, range, choices, usual)
    self.type = type ?? SettingType(of: fallback)
    self.fallback = self.type?.fitting(fallback) ?? fallback
  }

  /// Creates the description of a component's setting.
  init(_ name: String, default fallback: Value, of setting: any DescribedSetting) {
    (self.name, self.fallback, help, range) = (name, fallback, setting.help, setting.range)
    (choices, type, usual) = (setting.choices, setting.type, setting.usual)
  }

  /// The allowed values, in words; nil for anything of its type.
  public var allowed: String? { choices.map { $0.joined(separator: ", ") } ?? range?.text }

  /// - Throws: `ConfigError` for a number outside the range.
  func check(_ value: Value, at path: String) throws {
    if let range, !range.admits(value) {
      throw ConfigError(path: "\(path).\(name)", "found \(value.shortText), expected \(range.text)")
    }
    guard fitsFloat32(value) else {
      throw ConfigError(
        path: "\(path).\(name)", "found \(value.shortText), expected 0 or a size that Float32 holds, 1e-37 to 1e38")
    }
  }
}

extension SettingDescription {
  /// A sentence about a value that the setting takes and that is surely meant otherwise; nil where nothing is.
  ///
  /// - Parameter path: The place of the part's settings: `prior`.
  public func doubt(about value: Value, at path: String) -> String? {
    guard let usual, !usual.admits(value) else { return nil }
    return "\(path).\(name) is \(value.shortText); usual values are \(usual.text)"
  }
}

/// Whether each number is 0 or neither vanishes nor overflows where it is computed with in Float32.
private func fitsFloat32(_ value: Value) -> Bool {
  switch value {
  case .double(let number): !number.isFinite || number == 0 || (1e-37...1e38).contains(abs(number))
  case .array(let values): values.allSatisfy(fitsFloat32)
  default: true
  }
}
