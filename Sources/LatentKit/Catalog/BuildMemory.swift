import Foundation

/// A cache of values that parts compute while they are built: a composer builds a model to check it and again to train
/// it, and class centroids that took seconds need not be placed twice.
///
/// It is passed in a `BuildContext` and kept by its composer. Values must be functions of their keys.
public final class BuildMemory: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [AnyHashable: any Sendable] = [:]

  public init() {}

  /// Returns the value of a key, computed where it is not cached yet.
  ///
  /// - Parameters:
  ///   - key: All that the value depends on, of a type that belongs to the part.
  ///   - make: Runs while no lock is held; errors are not cached.
  public func value<Key: Hashable & Sendable, Value: Sendable>(
    for key: Key, make: () throws -> Value
  ) rethrows -> Value {
    if let known = lock.withLock({ values[key] }) as? Value { return known }
    let made = try make()
    lock.withLock { values[key] = made }
    return made
  }
}
