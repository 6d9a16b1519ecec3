import Foundation
import LatentKit

@testable import fuzz

/// A setting of a part and a value for it, in a recipe.
struct SettingCase: CustomStringConvertible, Sendable {
  let part: PartDescription
  let setting: SettingDescription
  let value: Value

  var description: String { "\(part.slot.name) \(part.name), \(setting.name): \(value.text)" }

  /// Whether the value is out of the range, and not of another type or too large for any number.
  var isOfTheSettingsKind: Bool {
    switch (value, setting.fallback) {
    case (.int, .int), (.int, .double), (.double, .double), (.array, .array): value.fitsFloat32
    default: false
    }
  }

  /// The part with this one setting, as a recipe has it.
  var choice: String { "{use: \(part.name), with: {\(setting.name): \(value.text)}}" }

  /// 1e-320, which Swift takes in no literal.
  private static let subnormal = 1e-300 / 1e20
  /// Numbers of every size, from the smallest.
  private static let sizes: [Double] =
    [1e300, 1e39, 1e30, 1e18, 1e15, 1e12, 1e9, 1e7, 1e6, 1e5, 10_001, 4097, 1001, 100, 10, 2].flatMap { [-$0, $0] }
    + [-1, -0.5, -1e-9, -subnormal, 0, subnormal, 1e-40, 1e-30, 1e-18, 1e-12, 1e-9, 1e-6, 0.001, 0.5, 0.999, 1, 1.5]

  /// Values of a setting's own kind, good and bad.
  private static func values(of setting: SettingDescription) -> [Value] {
    let numbers = sizes.sorted().map { size -> Value in
      if case .int = setting.fallback, size == size.rounded(), abs(size) < 1e18 { return .int(Int(size)) }
      return .double(size)
    }
    guard case .array(let items) = setting.fallback else { return numbers }
    return numbers.map { .array([$0]) } + numbers.map { .array(items + [$0]) }
      + [.array([]), .array(Array(repeating: items.first ?? 1, count: 1000))]
  }

  private static func takesNumbers(_ setting: SettingDescription) -> Bool {
    switch setting.fallback {
    case .int, .double: true
    default: setting.range != nil
    }
  }

  /// Every setting of every part that the catalog knows, with every value that it must refuse.
  static let refused: [SettingCase] = all { setting in
    if setting.choices != nil { return [.string("neither-of-them"), .string("")] }
    switch setting.fallback {
    case .bool: return [.int(2), .string("perhaps"), .double(0.5)]
    default: break
    }
    guard takesNumbers(setting) else { return [] }
    let outside = values(of: setting).filter { value in setting.range.map { !$0.admits(value) } ?? false }
    return outside + [.double(.infinity), .double(-.infinity), .double(.nan)]
  }

  /// Every setting that takes numbers, with the least and the greatest that its range admits.
  static let extreme: [SettingCase] = all { setting in
    guard takesNumbers(setting) else { return [] }
    let admitted = values(of: setting).filter { value in
      (setting.range?.admits(value) ?? true) && value.fitsFloat32
    }
    return [admitted.first, admitted.last].compactMap { $0 }
  }

  /// Settings that several parts of a slot share, as data do, are tried once.
  private static func all(_ values: (SettingDescription) -> [Value]) -> [SettingCase] {
    Slot.all.flatMap { slot in
      var seen: [SettingDescription] = []
      return catalog.descriptions(of: slot).flatMap { part in
        part.settings.flatMap { setting -> [SettingCase] in
          guard !seen.contains(setting) else { return [] }
          seen.append(setting)
          return values(setting).map { SettingCase(part: part, setting: setting, value: $0) }
        }
      }
    }
  }

  /// A recipe with the part in its place, over another one that may name the rest.
  func recipe(over base: String = "", epochs: Int = 1) -> String {
    let slot = part.slot
    let step = { (text: String) in
      let given: [String: String] = ["loss": "losses: [mse]", "optimizer": "optimizer: adam"]
      let fields = [text] + given.filter { $0.key != slot.name }.map(\.value).sorted()
      return "stages: [{epochs: \(epochs), batch: 8, train: [encoder, decoder], \(fields.joined(separator: ", "))}]"
    }
    let own =
      switch slot.place {
      case .model, .optional: "\(slot.name): \(choice)"
      case .list: "\(slot.key): [\(choice)]"
      case .step:
        switch slot {
        case .loss: step("losses: [\(choice)]")
        case .constraint: step("after: [{project: \(choice)}]")
        default: step("\(slot.name): \(choice)")
        }
      }
    return base + own + "\n"
  }
}

extension Value {
  fileprivate var fitsFloat32: Bool { sizes.allSatisfy { $0 == 0 || (1e-37...1e38).contains(abs($0)) } }

  /// The sizes of its numbers.
  fileprivate var sizes: [Double] {
    switch self {
    case .int(let number): [Double(number)]
    case .double(let number): [number]
    case .array(let values): values.flatMap(\.sizes)
    default: []
    }
  }
}
