import Foundation

/// A time for sentences of `BuildContext.announce`: `about 40 seconds`, `about 3 hours`.
///
/// Meant for the order of magnitude: machines differ.
public func roughTime(_ seconds: Double) -> String {
  let units = [(86_400.0 * 365, "years"), (86_400, "days"), (3600, "hours"), (60, "minutes")]
  guard let (length, name) = units.first(where: { seconds >= 2 * $0.0 }) else {
    return "about \(Int(min(max(seconds, 1), 1000).rounded())) seconds"
  }
  let count = seconds / length
  return count < 1e6 ? "about \(Int(count.rounded())) \(name)" : String(format: "about %.0e ", count) + name
}

/// A size in memory: `1.9 GiB`.
public func gibibytes(_ bytes: Double) -> String { String(format: "%.1f GiB", bytes / Double(1 << 30)) }
