import Runs

/// Hears about a study as it happens, and about each of its runs. Every method does nothing unless implemented.
public protocol StudyObserver: RunObserver {
  /// Called before a run of the study begins.
  ///
  /// - Parameters:
  ///   - number: Counted from 1 among all runs of the study, the finished ones too.
  ///   - title: What the run is called: `CSAE, with linear, seed 1`.
  func begins(run number: Int, of count: Int, title: String)
  /// Called when a run of the study has ended, finished or failed.
  func ended(run number: Int, of count: Int)
  /// Called as soon as something cannot be run or measured; the study goes on with the rest.
  func failed(_ failure: Study.Failure)
}

extension StudyObserver {
  public func begins(run number: Int, of count: Int, title: String) {}
  public func ended(run number: Int, of count: Int) {}
  public func failed(_ failure: Study.Failure) {}
}
