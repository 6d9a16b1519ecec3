import Foundation
import LatentKit

/// Returns a number with four significant digits.
public func number(_ value: Double) -> String {
  let size = abs(value)
  if value == 0 || !value.isFinite { return "\(value)" }
  return size >= 0.001 && size < 10_000 ? String(format: "%.4g", value) : String(format: "%.3e", value)
}

/// Returns a duration in words: `1:23:45`, `2:05` or `8 s`.
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, abs(seconds) < 1e15 else { return "?" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return seconds < 10 ? String(format: "%.1f s", seconds) : "\(whole) s" }
  let (hours, rest) = whole.quotientAndRemainder(dividingBy: 3600)
  let minutes = String(format: hours > 0 ? "%02d" : "%d", rest / 60)
  return (hours > 0 ? "\(hours):" : "") + minutes + String(format: ":%02d", rest % 60)
}

extension Measured {
  /// The value with its unit: `99.12 %`, `1.004`.
  public var text: String {
    guard let value else { return table == nil ? "missing (\(missing ?? "not measured"))" : "a table" }
    return unit == "%" ? String(format: "%.2f %%", value) : number(value) + (unit.isEmpty ? "" : " \(unit)")
  }
}

/// Returns a count with its noun: `1 epoch`, `5 epochs`.
///
/// - Parameters:
///   - count: The number of things.
///   - noun: The singular.
///   - plural: The plural where it is not the singular and an s.
public func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
