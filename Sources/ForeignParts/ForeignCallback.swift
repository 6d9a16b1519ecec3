import CForeign
import Foundation
import LatentKit

/// A C function that asks for the log density of a prior, made by libffi at run time.
///
/// An error does not cross the frames of the library: it is kept, the function returns NaN or the status 1, here and at each
/// later call, and whoever called the library throws it once that has returned.
final class ForeignCallback {
  /// The log densities of rows of points, and their gradients where those are asked for.
  typealias Density = (_ points: [Double], _ rows: Int, _ withGradients: Bool) throws -> (
    values: [Double], gradients: [Double]
  )

  private let signature: Signature
  private let prepared: PreparedSignature
  private let latentSize: Int
  private let density: Density
  private var closure: OpaquePointer?
  private let lock = NSLock()
  /// The first error.
  private(set) var failure: (any Error)?
  /// More rows than anybody asks for at a time: a number that was never set.
  private static let mostRows = 1 << 24

  init(_ signature: Signature, latentSize: Int, _ density: @escaping Density) throws {
    (self.signature, self.latentSize, self.density) = (signature, latentSize, density)
    prepared = try PreparedSignature(signature)
    closure = cf_closure_new(
      prepared.handle,
      { arguments, context in
        guard let arguments, let context else { return cf_value(whole: 1, real: .nan) }
        return Unmanaged<ForeignCallback>.fromOpaque(context).takeUnretainedValue().answer(arguments)
      }, Unmanaged.passUnretained(self).toOpaque())
    guard closure != nil else { throw RecipeError("libffi cannot make a function here; the system may forbid it") }
  }

  deinit { cf_closure_free(closure) }

  /// The C function, for as long as this object lives.
  var code: UnsafeMutableRawPointer? { cf_closure_code(closure) }

  private func answer(_ arguments: UnsafePointer<UnsafeMutableRawPointer?>) -> cf_value {
    // The library may have threads of its own.
    lock.withLock {
      guard failure == nil else { return cf_value(whole: 1, real: .nan) }
      do { return try computed(arguments) } catch {
        failure = error
        return cf_value(whole: 1, real: .nan)
      }
    }
  }

  private func computed(_ arguments: UnsafePointer<UnsafeMutableRawPointer?>) throws -> cf_value {
    let (latents, number) = try array("latents", arguments)
    let rows = try whole("rows", arguments) ?? 1
    guard (1...Self.mostRows).contains(rows) else {
      throw refusal("'rows' is \(rows), expected 1 to \(Self.mostRows)")
    }
    if let latent = try whole("latent", arguments), latent != latentSize {
      throw refusal("'latent' is \(latent), expected \(latentSize)")
    }
    let points = (0..<rows * latentSize).map { number.real(at: latents + $0 * number.size) }
    let outputs = try ["log-densities", "gradients"].filter(signature.takes).map { ($0, try array($0, arguments)) }
    let (values, gradients) = try density(points, rows, signature.takes("gradients"))
    for (name, (place, number)) in outputs {
      for (index, value) in (name == "gradients" ? gradients : values).enumerated() {
        number.store(value, at: place + index * number.size)
      }
    }
    return cf_value(whole: 0, real: values[0])
  }

  private func refusal(_ reason: String) -> RecipeError {
    RecipeError("the library calls 'log-density' wrongly: \(reason)", isDefect: true)
  }

  private func place(_ name: String) -> Int? { signature.parameters.firstIndex { $0.name == name } }

  private func array(
    _ name: String, _ arguments: UnsafePointer<UnsafeMutableRawPointer?>
  ) throws -> (UnsafeMutableRawPointer, CNumber) {
    guard let index = place(name), let number = signature.numbers(of: name),
      let pointer = arguments[index]?.load(as: UnsafeMutableRawPointer?.self)
    else { throw refusal("'\(name)' is a null pointer") }
    return (pointer, number)
  }

  /// Nil for what the signature does not take.
  private func whole(_ name: String, _ arguments: UnsafePointer<UnsafeMutableRawPointer?>) throws -> Int? {
    guard let index = place(name), case .number(let number) = signature.parameters[index].type,
      let pointer = arguments[index]
    else { return nil }
    guard let value = number.whole(at: pointer) else { throw refusal("'\(name)' is out of range") }
    return value
  }
}
