import LatentKit

/// What a function of a library is for, with the names of what it may take and return.
enum Role: String, Sendable {
  /// The density of a prior.
  case density
  /// Draws of a prior.
  case priorDraw
  /// Draws of a sampler.
  case draw
  /// The terms of a loss.
  case terms
  /// How large a data set is.
  case size
  /// The examples of a data set.
  case read
  /// Our density, as a library calls it.
  case callback

  /// What a name stands for.
  enum Meaning: Sendable {
    /// Real numbers that we hand over.
    case reals
    /// Whole numbers that we hand over.
    case wholes
    /// Real numbers that the function fills in.
    case filledReals
    /// Whole numbers that the function fills in.
    case filledWholes
    /// Real numbers or bytes that the function fills in.
    case filledInputs
    case whole
    case real
    case context
    case callback
  }

  /// The names of parameters beside settings.
  var parameters: [String: Meaning] {
    switch self {
    case .density:
      [
        "latents": .reals, "value": .real, "rows": .whole, "latent": .whole, "labels": .wholes, "label": .whole,
        "classes": .whole, "log-densities": .filledReals, "gradients": .filledReals,
      ]
    case .priorDraw:
      [
        "draws": .filledReals, "count": .whole, "latent": .whole, "seed": .whole, "labels": .wholes,
        "classes": .whole,
      ]
    case .draw:
      [
        "draws": .filledReals, "count": .whole, "latent": .whole, "seed": .whole, "rehearsal": .whole,
        "references": .reals, "reference-count": .whole, "log-density": .callback, "context": .context,
      ]
    case .terms:
      [
        "inputs": .reals, "reconstruction": .reals, "latents": .reals, "labels": .wholes, "rows": .whole,
        "size": .whole, "latent": .whole, "classes": .whole, "losses": .filledReals,
        "reconstruction-gradients": .filledReals, "latent-gradients": .filledReals,
      ]
    case .size:
      [
        "count": .filledWholes, "features": .filledWholes, "channels": .filledWholes, "height": .filledWholes,
        "width": .filledWholes, "classes": .filledWholes,
      ]
    case .read:
      [
        "inputs": .filledInputs, "labels": .filledWholes, "count": .whole, "features": .whole, "channels": .whole,
        "height": .whole, "width": .whole, "classes": .whole, "seed": .whole,
      ]
    case .callback:
      [
        "latents": .reals, "rows": .whole, "latent": .whole, "log-densities": .filledReals,
        "gradients": .filledReals, "context": .context,
      ]
    }
  }

  /// The names of results.
  var results: [String: Meaning] {
    switch self {
    case .density: ["log-density": .real, "density": .real, "status": .whole]
    case .priorDraw, .draw: ["count": .whole, "status": .whole]
    case .terms: ["loss": .real, "status": .whole]
    case .size: ["status": .whole]
    case .read: ["count": .whole, "status": .whole]
    case .callback: ["log-density": .real, "status": .whole]
    }
  }

  /// What is wrong with a signature for this role, in a sentence; nil where it will do.
  func fault(of signature: Signature) -> String? {
    func takes(_ name: String) -> Bool { signature.takes(name) }
    let result = signature.resultName
    switch self {
    case .density, .callback:
      guard takes("latents") != takes("value") else {
        return self == .callback
          ? "it takes no 'latents'"
          : "it takes \(takes("latents") ? "both 'latents' and" : "neither 'latents' nor") 'value'; "
            + "take 'latents', or 'value' for a function of one number"
      }
      let isOne = result == "log-density" || result == "density"
      guard isOne != takes("log-densities") else {
        return isOne
          ? "it returns '\(result ?? "")' and fills 'log-densities' too; leave one out"
          : "it says no density; let it return 'log-density', or take 'log-densities' to fill"
      }
      guard !(isOne && takes("rows")) else {
        return
          "it takes 'rows' and returns one number; take 'log-densities' to fill, or leave 'rows' out: then it is called for each row"
      }
      if takes("label"), takes("rows") || takes("labels") {
        return "it takes 'label' of one row beside 'rows' or 'labels'"
      }
      let ofRows = ["rows", "labels", "gradients", "log-densities"].filter(takes)
      if takes("value"), let stray = ofRows.first { return "it takes '\(stray)' beside 'value', which is one number" }
      return nil
    case .priorDraw, .draw:
      for name in ["draws", "count", "seed"] where !takes(name) {
        return "it takes no '\(name)'; a function that draws takes 'draws' to fill, their 'count' and a 'seed'"
      }
      guard takes("references") == takes("reference-count") else {
        return takes("references")
          ? "it takes 'references' and no 'reference-count'" : "it takes 'reference-count' and no 'references'"
      }
      return nil
    case .terms:
      guard (result == "loss") != takes("losses") else {
        return result == "loss"
          ? "it returns 'loss' and fills 'losses' too; leave one out"
          : "it says no value; let it return 'loss', or take 'losses' to fill"
      }
      if result == "loss", takes("rows") {
        return
          "it takes 'rows' and returns one number; take 'losses' to fill, or leave 'rows' out: then it is called for each row"
      }
      let trained = [("latents", "latent-gradients"), ("reconstruction", "reconstruction-gradients")]
      for (name, gradients) in trained where takes(name) != takes(gradients) {
        return takes(name)
          ? "it takes '\(name)' and no '\(gradients)': nothing would be trained by it"
          : "it takes '\(gradients)' and no '\(name)'"
      }
      guard trained.contains(where: { takes($0.0) }) else {
        return "it takes neither 'latents' nor 'reconstruction', so that nothing would be trained by it"
      }
      return nil
    case .size:
      guard takes("count") else { return "it takes no 'count' to fill" }
      let image = ["channels", "height", "width"].filter(takes)
      guard takes("features") ? image.isEmpty : image.count == 3 else {
        return
          "it takes \(image.isEmpty ? "no 'features'" : "'\(image[0])'"); take 'features' for rows of numbers, or 'channels', "
          + "'height' and 'width' for images"
      }
      return nil
    case .read:
      return takes("inputs") ? nil : "it takes no 'inputs' to fill"
    }
  }
}

/// What a function takes and returns.
struct Signature: Sendable {
  struct Parameter: Sendable {
    let name: String
    let type: CType
    /// The signature of a function that is passed.
    let callback: CallbackSignature?
  }

  /// A signature inside another one.
  final class CallbackSignature: Sendable {
    let signature: Signature
    init(_ signature: Signature) { self.signature = signature }
  }

  let role: Role
  let parameters: [Parameter]
  let result: CType
  /// What the result is; nil for none.
  let resultName: String?

  func takes(_ name: String) -> Bool { parameters.contains { $0.name == name } }

  /// The type of the numbers of an array that it takes.
  func numbers(of name: String) -> CNumber? {
    guard case .array(let number)? = parameters.first(where: { $0.name == name })?.type else { return nil }
    return number
  }

  /// The type of a number that it takes.
  func number(of name: String) -> CNumber? {
    guard case .number(let number)? = parameters.first(where: { $0.name == name })?.type else { return nil }
    return number
  }

  /// The precision of what is computed: single where real numbers that are no settings are passed in it.
  var precision: DType {
    func isSingle(_ parameter: Parameter) -> Bool {
      guard role.parameters[parameter.name] != nil else { return false }
      return parameter.type == .array(.float) || parameter.type == .number(.float)
    }
    return result == .number(.float) || parameters.contains(where: isSingle) ? .float32 : .float64
  }

  /// The bits of a seed: as many as its type has beside a sign, and a generator gives.
  var seedBits: Int { min((number(of: "seed") ?? .int64).size * 8 - 1, 52) }
}
