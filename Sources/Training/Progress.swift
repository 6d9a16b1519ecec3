import Foundation
import LatentKit

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Shows training on standard output: a bar that redraws itself on a terminal, plain lines elsewhere.
public final class ConsoleProgress: TrainingObserver {
  private let isTerminal: Bool
  private let write: (String) -> Void
  private var lastDrawn = Date.distantPast
  private var width = 0

  public init(
    isTerminal: Bool = isatty(STDOUT_FILENO) == 1,
    write: @escaping (String) -> Void = { text in
      try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
  ) {
    self.isTerminal = isTerminal
    self.write = write
  }

  public func progressed(_ progress: TrainingProgress) {
    let now = Date.now
    guard now.timeIntervalSince(lastDrawn) >= (isTerminal ? 0.1 : 30) else { return }
    // The first plain line comes after the interval, not at once.
    defer { lastDrawn = now }
    if !isTerminal && lastDrawn == .distantPast { return }
    let share = Double(progress.iteration) / Double(max(progress.iterationsPerEpoch, 1))
    let place = "\(progress.stage) \(progress.epoch)/\(progress.epochs)"
    let losses = progress.losses.map { "\($0.name) \(number($0.value))" }.joined(separator: "  ")
    let speed = "\(Int(progress.examplesPerSecond)) examples/s"
    let left = "\(duration(progress.secondsLeft)) left"
    let percent = String(format: "%3.0f %%", 100 * share)
    if isTerminal {
      let filled = Int(share * 20)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
      redraw("\(place) \(bar) \(percent)  \(losses)  \(speed)  \(left)")
    } else {
      write("\(place) \(percent)  \(losses)  \(speed)  \(left)\n")
    }
  }

  public func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    clear()
    func list(_ losses: [String: Double]) -> String {
      losses.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }.joined(separator: "  ")
    }
    var line = "\(record.stage) \(record.epoch)/\(epochs)  \(list(record.training))"
    if !record.validation.isEmpty { line += "  | validation: \(list(record.validation))" }
    for metric in record.metrics { line += "  \(metric.name) \(metric.text)" }
    write("\(line)  | \(Int(record.examplesPerSecond)) examples/s, \(duration(record.seconds))\n")
    lastDrawn = .now
  }

  public func note(_ sentence: String) {
    clear()
    write(sentence + "\n")
  }

  private func redraw(_ line: String) {
    var columns = 100
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { columns = Int(size.ws_col) }
    let shown = String(line.prefix(columns - 1))
    write("\r" + shown + String(repeating: " ", count: max(0, width - shown.count)))
    width = shown.count
  }

  private func clear() {
    guard width > 0 else { return }
    write("\r" + String(repeating: " ", count: width) + "\r")
    width = 0
  }
}

/// Several observers as one.
public final class Observers: TrainingObserver {
  private let observers: [any TrainingObserver]
  public init(_ observers: [any TrainingObserver]) { self.observers = observers }
  public func progressed(_ progress: TrainingProgress) { for observer in observers { observer.progressed(progress) } }
  public func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    for observer in observers { observer.finishedEpoch(record, of: epochs) }
  }
  public func note(_ sentence: String) { for observer in observers { observer.note(sentence) } }
}

/// Four digits that matter.
public func number(_ value: Double) -> String {
  let size = abs(value)
  if value == 0 || !value.isFinite { return "\(value)" }
  return size >= 0.001 && size < 10_000 ? String(format: "%.4g", value) : String(format: "%.3e", value)
}

/// `1:23:45`, `2:05` or `8 s`.
public func duration(_ seconds: Double) -> String {
  guard seconds.isFinite else { return "?" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return seconds < 10 ? String(format: "%.1f s", seconds) : "\(whole) s" }
  let (hours, rest) = whole.quotientAndRemainder(dividingBy: 3600)
  let minutes = String(format: hours > 0 ? "%02d" : "%d", rest / 60)
  return (hours > 0 ? "\(hours):" : "") + minutes + String(format: ":%02d", rest % 60)
}

extension Measured {
  /// `99.12 %`, `1.004`.
  public var text: String {
    unit == "%" ? String(format: "%.2f %%", value) : number(value) + (unit.isEmpty ? "" : " \(unit)")
  }
}
