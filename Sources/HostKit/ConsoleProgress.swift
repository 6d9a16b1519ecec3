import Files
import Foundation
import LatentKit
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Shows the progress of training: a bar that redraws itself on a terminal, plain lines elsewhere.
final class ConsoleProgress: TrainingObserver {
  private let isTerminal: Bool
  private let write: (String) -> Void
  private var lastDrawn = Date.distantPast
  private var width = 0

  /// - Parameter write: Takes text, ends of lines included.
  init(isTerminal: Bool, write: @escaping (String) -> Void) {
    self.isTerminal = isTerminal
    self.write = write
  }

  func progressed(_ progress: TrainingProgress) {
    let now = Date.now
    // Nothing is reported while the validation part is measured, which may take long: that it began is not left out.
    let isDue = now.timeIntervalSince(lastDrawn) >= (isTerminal ? 0.1 : 30)
    guard isDue || isTerminal && progress.isValidating else { return }
    // The first plain line comes after the interval, not at once.
    defer { lastDrawn = now }
    if !isTerminal && lastDrawn == .distantPast { return }
    let share = Double(progress.iteration) / Double(max(progress.iterationsPerEpoch, 1))
    let place = "\(progress.stage) \(progress.epoch)/\(progress.epochs)"
    let losses = progress.losses.map { "\($0.name) \(number($0.value))" }.joined(separator: "  ")
    let speed = "\(Int(progress.examplesPerSecond)) examples/s"
    let left = "\(duration(progress.secondsLeft)) left"
    let percent = progress.isValidating ? "validating" : String(format: "%3.0f %%", 100 * share)
    if isTerminal {
      let filled = Int(share * 20)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
      redraw("\(place) \(bar) \(percent)  \(losses)  \(speed)  \(left)")
    } else {
      write("\(place) \(percent)  \(losses)  \(speed)  \(left)".shown() + "\n")
    }
  }

  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    clear()
    func list(_ losses: [String: Double]) -> String {
      losses.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }.joined(separator: "  ")
    }
    var line = "\(record.stage) \(record.epoch)/\(epochs)  \(list(record.training))"
    if !record.validation.isEmpty { line += "  | validation: \(list(record.validation))" }
    for metric in record.metrics where metric.table == nil || metric.value != nil {
      line += "  \(metric.name) \(metric.text)"
    }
    write("\(line)  | \(Int(record.examplesPerSecond)) examples/s, \(duration(record.seconds))".shown() + "\n")
    lastDrawn = .now
  }

  func note(_ sentence: String) {
    clear()
    write(sentence.shown() + "\n")
  }

  private func redraw(_ line: String) {
    var columns = 100
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { columns = Int(size.ws_col) }
    let shown = String(line.shown().prefix(columns - 1))
    write("\r" + shown + String(repeating: " ", count: max(0, width - shown.count)))
    width = shown.count
  }

  private func clear() {
    guard width > 0 else { return }
    write("\r" + String(repeating: " ", count: width) + "\r")
    width = 0
  }
}
