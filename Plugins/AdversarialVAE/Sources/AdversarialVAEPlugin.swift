import LatentKit

/// The adversarial two-step variational autoencoder, and critics for the decoders of other papers.
public enum AdversarialVAEPlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "Semi-supervised adversarial variational autoencoder", authors: "Zemouri", year: 2020,
    summary: """
      First a variational encoder under a classifier, then a decoder that compares the encoder's hidden layers instead of \
      pixels, against a discriminator.
      """)

  public static let contributions: [Contribution] =
    [
      .encoder(
        "two-step", TwoStepEncoder.self, "six residual convolutions, two poolings, three linear layers (Figure 6)",
        with: Companions([.decoder: "two-step", .classifier: "two-step", .optimizer: adam(0.0005)])),
      .decoder(
        "two-step", TwoStepDecoder.self, "three linear layers, seven convolutions, two doublings (Figure 6)",
        with: Companions(metrics: ["reconstruction-error"])),
      .classifier(
        "two-step", TwoStepClassifier.self, "three linear layers with residual blocks (Figure 6)",
        with: Companions(metrics: ["accuracy"])),
      .decoder("class-mean", ClassMeanDecoder.self, "one image for each class: the null model of reconstruction"),
      .loss(
        "feature-reconstruction", FeatureReconstruction.self,
        "squared differences in the encoder's first hidden layers (eq. 9)"),
      .loss("latent-class", LatentClassLoss.self, "change of the class probabilities by reconstruction (eq. 11)"),
      .loss("adversarial", AdversarialLoss.self, "what the decoder is told by a discriminator (eq. 10 and others)"),
      .loss("least-squares-critic", LeastSquaresCritic.self, "scores of +1 for real and -1 for decoded inputs"),
      .loss(
        "wasserstein-critic", WassersteinCritic.self,
        "the critic's side of the Wasserstein distance, with clipped weights",
        with: Companions(after: [.discriminator: [.project("weight-clip", biases: true)]]), paper: wgan),
      .loss(
        "wasserstein-gp-critic", WassersteinPenaltyCritic.self, "the same with a gradient penalty", paper: wganGP),
      .loss(
        "sigma-reconstruction", SigmaReconstruction.self, "(D/2) log MSE: a Gaussian of the best variance", paper: sigma
      ),
      .constraint(
        "weight-clip", WeightClip.self, "weights of at most a magnitude, for a Wasserstein critic", paper: wgan),
      .metric("critic", CriticMetric.self, "a discriminator's scores, and whether it has collapsed or is saturated"),
      .metric("diversity", DiversityMetric.self, "variance of reconstructions, and whether the decoder has collapsed"),
    ] + discriminators

  private static let discriminators: [Contribution] = [
    .discriminator(
      "two-step", TwoStepDiscriminator.self, "three convolutions, two poolings, four linear layers (Figure 6)"),
    .discriminator("conv", ConvDiscriminator.self, "convolutions of stride 2, without normalisation"),
    .discriminator("mlp", MLPDiscriminator.self, "linear layers, without normalisation"),
    .discriminator(
      "least-squares", NamedDiscriminator.self, "a discriminator trained to +1 and -1, and the decoder to its +1",
      with: critic("least-squares-critic", "least-squares", repeat: 1, adam(0.0002, beta1: 0.5)), paper: lsgan),
    .discriminator(
      "wgan", NamedDiscriminator.self, "a Wasserstein critic with clipped weights",
      with: critic("wasserstein-critic", "wasserstein", repeat: 5, adam(0.00005, beta1: 0)), paper: wgan),
    .discriminator(
      "wgan-gp", NamedDiscriminator.self, "a Wasserstein critic with a gradient penalty",
      with: critic("wasserstein-gp-critic", "wasserstein", repeat: 5, adam(0.0001, beta1: 0, beta2: 0.9)), paper: wganGP
    ),
  ]

  /// The step of a critic, and the loss that joins the decoder's.
  private static func critic(
    _ loss: PartChoice, _ form: Value, repeat count: Int, _ optimizer: PartChoice
  ) -> Companions {
    let step = Step(
      train: ["discriminator"], repeat: count, losses: [loss], optimizer: optimizer, schedule: "constant")
    let scores = PartChoice("critic", with: form == "wasserstein" ? ["target": .null] : [:])
    return Companions(
      metrics: [scores, "diversity"], steps: [step],
      joining: [.decoder: [PartChoice("adversarial", with: ["form": form], weight: 0.01)]])
  }

  private static func adam(_ rate: Double, beta1: Double = 0.9, beta2: Double = 0.999) -> PartChoice {
    PartChoice("adam", with: ["learningRate": .double(rate), "beta1": .double(beta1), "beta2": .double(beta2)])
  }

  private static let lsgan = Paper(
    title: "Least Squares Generative Adversarial Networks", authors: "Mao, Li, Xie, Lau, Wang, Smolley", year: 2016,
    summary: "The discriminator regresses to one number for real and to another for generated inputs.")
  private static let wgan = Paper(
    title: "Wasserstein GAN", authors: "Arjovsky, Chintala, Bottou", year: 2017,
    summary: "A critic with clipped weights estimates the earth mover's distance, which the generator lowers.")
  private static let wganGP = Paper(
    title: "Improved Training of Wasserstein GANs", authors: "Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville",
    year: 2017,
    summary: "A penalty on the norm of the critic's gradient takes the place of clipping.")
  private static let sigma = Paper(
    title: "Simple and Effective VAE Training with Calibrated Decoders", authors: "Rybkin, Daniilidis, Levine",
    year: 2021,
    summary: "The decoder's variance is the best one for its errors, which balances the two terms of the lower bound.")
}
