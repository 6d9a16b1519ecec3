import Dispatch
import Figures
import Foundation
import Reports
import Synchronization
import Training

/// The pictures of a run. They are written side by side: to start gnuplot takes longer than most of them.
struct RunPictures {
  private typealias Writing = @Sendable (URL) throws -> Void

  private let folder: RunFolder
  private let observer: (any RunObserver)?
  private var pictures: [(name: String, caption: String, write: Writing)] = []

  init(of folder: RunFolder, observer: (any RunObserver)?) { (self.folder, self.observer) = (folder, observer) }

  /// Adds the picture that `prepare` makes, unless it makes none.
  mutating func add(_ name: String, _ caption: String, _ prepare: () throws -> (any Figure)?) throws {
    try add(name, caption) {
      guard let figure = try prepare() else { return nil }
      return { try figure.write(to: $0) }
    }
  }

  /// Adds panels beside each other.
  mutating func add(_ name: String, _ caption: String, panels prepare: () throws -> [ScatterPlot]?) throws {
    try add(name, caption) {
      guard let panels = try prepare() else { return nil }
      return { try ScatterPlot.write(panels, to: $0) }
    }
  }

  private mutating func add(_ name: String, _ caption: String, _ prepare: () throws -> Writing?) throws {
    let files = FigureFiles(folder.figure(name))
    try folder.note([files.png, files.svg])
    do {
      if let write = try prepare() { pictures.append((name, caption, write)) }
    } catch let error as FigureError { warn(name, error) }
  }

  /// Without gnuplot the run lacks the picture, and nothing else.
  private func warn(_ name: String, _ error: FigureError) { observer?.noticed(.warning("no \(name): \(error)")) }

  /// Writes them all, and returns those that could be drawn.
  func write() throws -> [HTMLReport.Figure] {
    let errors = Mutex<[Int: any Error]>([:])
    let jobs = pictures.map { (write: $0.write, url: folder.figure($0.name)) }
    DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
      do { try jobs[index].write(jobs[index].url) } catch {
        errors.withLock { $0[index] = error }
      }
    }
    let found = errors.withLock { $0 }
    return try pictures.enumerated().compactMap { index, picture in
      switch found[index] {
      case nil: return HTMLReport.Figure("figures/\(picture.name)", caption: picture.caption)
      case let error as FigureError:
        warn(picture.name, error)
        return nil
      case let error?: throw error
      }
    }
  }
}
