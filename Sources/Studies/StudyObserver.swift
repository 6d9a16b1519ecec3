import Runs

/// An observer of a study and of each of its runs. Every method has an empty default.
public protocol StudyObserver: RunObserver {
  /// Called before a run of the study begins.
  ///
  /// - Parameters:
  ///   - number: The run's number from 1 among all runs of the study, including finished ones.
  ///   - count: The number of runs.
  ///   - title: The name of the run: `CSAE, with linear, seed 1`.
  func begins(run number: Int, of count: Int, title: String)
  /// Called after a run of the study has finished or failed.
  func ended(run number: Int, of count: Int)
  /// Called as soon as a run or a measurement fails; the study continues with the others.
  func failed(_ failure: Study.Failure)
}

extension StudyObserver {
  public func begins(run number: Int, of count: Int, title: String) {}
  public func ended(run number: Int, of count: Int) {}
  public func failed(_ failure: Study.Failure) {}
}
