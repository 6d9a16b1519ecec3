import Foundation
import LatentKit

/// A loss with a model of stand-ins that it takes.
struct LossBench {
  let subject: Subject<any Loss>
  let world: World
  let kind: StandIn.Kind
  let withCompanions: Bool
  let dtype: DType
  let made: Made<any Loss>
  let device: Device
  let settings: [String: Value]
  var loss: any Loss { made.part }
  var needs: DataNeeds { loss.needs }

  /// Finds data and a model that the loss takes.
  /// - Throws: `Fault` with the reason where there are none.
  init(_ part: PartUnderTest, dtype: DType = .float32) throws {
    let subject = try Subject(SlotKey.loss, part)
    var refusals = Refusals()
    for world in [World.rows, .images(1, 16), .images(3, 32)] {
      for kind in StandIn.Kind.allCases {
        for withCompanions in [false, true] {
          for settings in subject.candidates {
            do {
              let bench = try LossBench(subject, world, kind, withCompanions, dtype, settings)
              _ = try bench.terms(bench.forward(4))
              self = bench
              return
            } catch let error as RecipeError { refusals.note(error) } catch let error as TensorError {
              refusals.note(error, for: world)
            }
          }
        }
      }
    }
    throw refusals.fault(of: subject.title)
  }

  init(
    _ subject: Subject<any Loss>, _ world: World, _ kind: StandIn.Kind, _ withCompanions: Bool, _ dtype: DType,
    _ settings: [String: Value] = [:]
  ) throws {
    (self.subject, self.world, self.kind, self.withCompanions, self.dtype) = (
      subject, world, kind, withCompanions, dtype
    )
    (device, self.settings) = (subject.device, settings)
    made = try subject.make(in: world, settings, kind: kind, dtype: dtype, withCompanions: withCompanions)
  }

  func again(_ settings: [String: Value] = [:]) throws -> LossBench {
    try LossBench(subject, world, kind, withCompanions, dtype, self.settings.merging(settings) { $1 })
  }

  func batch(_ count: Int, seed: UInt64? = nil) throws -> Batch {
    try world.batch(count, seed: seed ?? subject.seed, dtype: dtype, device: device)
  }

  func forward(_ batch: Batch, training: Bool = true, seed: UInt64 = 1) throws -> Forward {
    Forward(
      batch, through: made.model, training: training, drawing: RandomSource(try Generator(seed: seed, device: device)))
  }

  func forward(_ count: Int, training: Bool = true) throws -> Forward { try forward(batch(count), training: training) }

  func terms(_ forward: Forward) throws -> [Term] { try loss.terms(forward, under: made.model.prior) }

  /// The terms as the trainer reduces them, and their sum.
  func total(_ forward: Forward) throws -> Tensor {
    let values = try forward.reduced(loss, under: made.model.prior).map(\.value)
    guard let first = values.first else { throw Fault("it has no terms") }
    return try values.dropFirst().reduce(first) { try $0 + $1 }
  }

  /// The model's parameters that the loss could train, by their part's name, and its own.
  func weights() throws -> [Tensor] { modelWeights + made.weights.map(\.tensor) }
  var modelWeights: [Tensor] { made.modelStore.parameters.filter { $0.role == .weight }.map(\.tensor) }
}
