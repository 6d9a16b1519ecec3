import CForeign
import Foundation
import LatentKit

/// What a parameter is given.
enum Binding {
  /// An array; in the i-th call of several, from its i-th row on.
  case array(ForeignArray)
  case whole(Int)
  case real(Double)
  /// In the i-th call, the i-th number.
  case wholes([Int])
  case reals([Double])
  case text(String)
  case callback(ForeignCallback)
}

/// A function of a loaded library.
final class ForeignFunction: @unchecked Sendable {
  typealias Result = cf_value

  let symbol: String
  let signature: Signature
  /// In messages.
  let title: String
  let address: UnsafeMutableRawPointer
  private let prepared: PreparedSignature

  /// - Throws: `RecipeError` where libffi refuses the signature.
  init(_ declaration: ForeignManifest.FunctionDeclaration, at address: UnsafeMutableRawPointer, of library: String)
    throws
  {
    (symbol, signature, self.address) = (declaration.symbol, declaration.signature, address)
    title = "'\(declaration.symbol)' of \(library)"
    prepared = try PreparedSignature(signature)
  }

  /// The settings among the parameters, as they are passed.
  ///
  /// - Throws: `RecipeError` for a text that is unset, and a number that its type cannot hold.
  func settings(_ values: SettingValues, of title: String) throws -> [String: Binding] {
    var bindings: [String: Binding] = [:]
    for parameter in signature.parameters where signature.role.parameters[parameter.name] == nil {
      let name = parameter.name
      switch parameter.type {
      case .text:
        guard try values.isSet(name) else { throw RecipeError("\(title): '\(name)' is unset; set it") }
        let text = try values.string(name)
        guard !text.utf8.contains(0) else {
          throw RecipeError("\(title): '\(name)' has a zero byte, which ends a text of C")
        }
        bindings[name] = .text(text)
      case .number(let number) where number.isReal: bindings[name] = .real(try values.double(name))
      case .number(let number):
        let whole = if case .bool(let flag) = try values[name] { flag ? 1 : 0 } else { try values.int(name) }
        var place = 0
        guard number.store(whole, at: &place) else {
          throw RecipeError(
            "\(title): '\(name)' is \(whole), which \(number.rawValue) cannot hold; choose another number")
        }
        bindings[name] = .whole(whole)
      case .array, .context, .void: break
      }
    }
    return bindings
  }

  /// Calls the function, once or for each row.
  ///
  /// - Parameter bindings: What parameters are given, by name.
  /// - Returns: What it returned each time.
  /// - Throws: `RecipeError` where it returned a status other than 0, threw, or wrote beside an array; the callback's error where
  ///   that failed.
  @discardableResult
  func call(_ bindings: [String: Binding], times: Int = 1) throws -> [Result] {
    let parameters = signature.parameters
    // Every value fits into eight bytes.
    let values = UnsafeMutableRawPointer.allocate(byteCount: max(parameters.count, 1) * 8, alignment: 16)
    defer { values.deallocate() }
    var texts: [UnsafeMutablePointer<CChar>] = []
    defer { for text in texts { free(text) } }
    var arrays: [(place: UnsafeMutableRawPointer, array: ForeignArray)] = []
    var each: [(place: UnsafeMutableRawPointer, number: CNumber, binding: Binding)] = []
    var arguments: [UnsafeMutableRawPointer?] = []
    var callback: ForeignCallback?
    for (index, parameter) in parameters.enumerated() {
      let place = values + index * 8
      arguments.append(place)
      place.storeBytes(of: 0, as: UInt64.self)
      switch (parameter.type, bindings[parameter.name]) {
      case (.array(let number), .array(let array)?) where array.number == number: arrays.append((place, array))
      case (.number(let number), .whole(let whole)?): try store(whole, number, parameter.name, at: place)
      case (.number(let number), .real(let real)?): number.store(real, at: place)
      case (.number(let number), .wholes(let all)?): each.append((place, number, .wholes(all)))
      case (.number(let number), .reals(let all)?): each.append((place, number, .reals(all)))
      case (.text, .text(let text)?):
        guard let copy = strdup(text) else { throw RecipeError("\(title): there is no memory left") }
        texts.append(copy)
        place.storeBytes(of: copy, as: UnsafeMutablePointer<CChar>.self)
      case (.context, .callback(let made)?):
        guard let code = made.code else {
          throw RecipeError("\(title): there is no function to pass for '\(parameter.name)'")
        }
        callback = made
        place.storeBytes(of: code, as: UnsafeMutableRawPointer.self)
      // The library hands it back, and nobody reads it: the closure knows its own.
      case (.context, nil) where parameter.callback == nil:
        place.storeBytes(of: values, as: UnsafeMutableRawPointer.self)
      default: throw RecipeError("\(title): nothing is known to pass for '\(parameter.name)'")
      }
    }
    var results: [cf_value] = []
    results.reserveCapacity(times)
    for row in 0..<times {
      for (place, array) in arrays {
        place.storeBytes(of: array.pointer(row: row), as: UnsafeMutableRawPointer.self)
      }
      for (place, number, binding) in each {
        if case .wholes(let values) = binding { try store(values[row], number, "label", at: place) }
        if case .reals(let values) = binding { number.store(values[row], at: place) }
      }
      results.append(try invoke(arguments))
      if let failure = callback?.failure { throw failure }
      if signature.resultName == "status", let status = results.last?.whole, status != 0 {
        throw RecipeError("\(title) failed: it returned the status \(status)", isDefect: true)
      }
    }
    for (parameter, binding) in bindings {
      if case .array(let array) = binding, array.isOverrun {
        throw RecipeError(
          "\(title) wrote beside the \(array.count) numbers of '\(parameter)'; its manifest or its code is wrong, and memory may be damaged: start again without it",
          isDefect: true)
      }
    }
    return results
  }

  private func store(_ whole: Int, _ number: CNumber, _ name: String, at place: UnsafeMutableRawPointer) throws {
    guard number.store(whole, at: place) else {
      throw RecipeError("\(title): '\(name)' is \(whole), which \(number.rawValue) cannot hold")
    }
  }

  private func invoke(_ arguments: [UnsafeMutableRawPointer?]) throws -> cf_value {
    var result = cf_value()
    try catchingExceptions(of: title) { cf_call($0, prepared.handle, address, arguments, &result, $1, $2) }
    return result
  }
}

/// Runs a call of a library, which is given the title, and writes the text of a C++ exception where it returns another code than 0.
///
/// - Throws: `RecipeError` with that text.
func catchingExceptions(
  of title: String, _ call: (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int) -> Int32
) throws {
  var message = [CChar](repeating: 0, count: 500)
  guard message.withUnsafeMutableBufferPointer({ call(title, $0.baseAddress!, $0.count) }) != 0 else { return }
  let bytes = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  throw RecipeError("\(title) threw: \(String(decoding: bytes, as: UTF8.self))", isDefect: true)
}

/// A signature that libffi has prepared.
final class PreparedSignature: @unchecked Sendable {
  let handle: OpaquePointer

  init(_ signature: Signature) throws {
    let codes = signature.parameters.map(\.type.code)
    guard let handle = cf_signature_new(signature.result.code, codes, Int32(codes.count)) else {
      throw RecipeError("libffi cannot call a function of \(codes.count) such parameters on this machine")
    }
    self.handle = handle
  }

  deinit { cf_signature_free(handle) }
}
