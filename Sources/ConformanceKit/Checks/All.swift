import LatentKit

extension Check {
  /// The checks of a slot's parts, in order.
  public static func all(for slot: Slot) -> [Check] {
    declarations(of: slot) + ofRole(slot)
  }

  private static func ofRole(_ slot: Slot) -> [Check] {
    switch slot {
    case .encoder: Mapping<any Encoder>.encoder.checks + [Mapping<any Encoder>.hiddenLayers]
    case .decoder: Mapping<any Decoder>.decoder.checks
    case .classifier: Mapping<any Classifier>.classifier.checks
    case .discriminator: Mapping<any Discriminator>.discriminator.checks
    case .prior: Mapping<any Prior>.prior.checks + Mapping<any Prior>.ownChecks
    case .noise: NoiseChecks.all
    case .sampler: SamplerChecks.all
    case .loss: LossChecks.all
    case .data: DataChecks.all
    case .metric: MetricChecks.all
    case .transform: TransformChecks.all
    case .constraint: ConstraintChecks.all
    case .optimizer: OptimizerChecks.all
    case .schedule: ScheduleChecks.all
    default: []
    }
  }
}
