import LatentKit

/// Variational autoencoders with likelihoods in nats, and what their latents are worth to a classifier with few labels.
public enum DownstreamVAEPlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "Variational Auto-Encoders for Downstream Classification", authors: "Chen, Dong", year: 2019,
    summary: """
      A variational autoencoder is trained without labels; small classifiers then learn from its latents, with 100 to 50,000 \
      labels.
      """)

  public static let contributions: [Contribution] = [
    .encoder(
      "conv-mlp", ConvMLPEncoder.self, "three convolutions of stride 2 and two fully connected layers (section 2.3)",
      with: Companions([
        .decoder: "conv-mlp", .prior: "standard-normal", .optimizer: "adam", .schedule: "cosine",
      ])),
    .decoder(
      "conv-mlp", ConvMLPDecoder.self, "three fully connected layers and three transposed convolutions (section 2.3)",
      with: Companions(metrics: ["reconstruction-error"])),
    .loss(
      "bernoulli", BernoulliLikelihood.self, "negative log-likelihood of black and white values, in nats",
      with: ofProbabilities, paper: .variational),
    .loss(
      "continuous-bernoulli", ContinuousBernoulliLikelihood.self,
      "negative log-likelihood of values from 0 to 1, in nats", with: ofProbabilities, paper: .continuousBernoulli),
    .loss(
      "gaussian", GaussianLikelihood.self,
      "negative log-likelihood under a Gaussian of learned or fixed variance, in nats", paper: .variational),
    .metric(
      "elbo", LowerBound.self, "the evidence lower bound in nats: reconstruction less divergence", paper: .variational),
    .metric(
      "log-likelihood", LogLikelihood.self, "log-likelihood of unseen data in nats, by importance sampling",
      paper: .importance),
    .metric("probe", ProbeMetric.self, "accuracy of a small classifier of latents over its number of labels"),
    .metric(
      "training-accuracy", TrainingAccuracy.self,
      "share of the labelled training examples that are classified correctly"),
    .encoder(
      "m2", ClassConditionalEncoder.self, "a classifier of inputs, and a Gaussian given input and class",
      with: Companions(
        [.classifier: "m2", .decoder: "mlp", .sampler: "class-gaussian", .optimizer: "adam"],
        losses: ["m2", PartChoice("m2-class", weight: 5)]), paper: .semiSupervised),
    .classifier(
      "m2", LatentClasses.self, "the class that encoder m2 finds", with: Companions(metrics: ["accuracy"]),
      paper: .semiSupervised),
    .loss(
      "m2", SemiSupervisedBound.self, "the negative lower bound with and without labels, in nats",
      with: Companions([.encoder: "m2"], settings: [.decoder: ["output": "sigmoid"]]), paper: .semiSupervised),
    .loss(
      "m2-class", SemiSupervisedClassification.self, "cross entropy of the class of encoder m2",
      with: Companions([.encoder: "m2"]), paper: .semiSupervised),
  ]

  /// Decoders that have an output function make probabilities.
  private static let ofProbabilities = Companions(settings: [.decoder: ["output": "sigmoid"]])
}

extension Paper {
  fileprivate static let variational = Paper(
    title: "Auto-Encoding Variational Bayes", authors: "Kingma, Welling", year: 2014,
    summary: "A lower bound of the likelihood, whose gradient goes through draws of the latent.")

  fileprivate static let continuousBernoulli = Paper(
    title: "The continuous Bernoulli: fixing a pervasive error in variational autoencoders",
    authors: "Loaiza-Ganem, Cunningham", year: 2019,
    summary: "With its normalising constant the Bernoulli's formula is a density of grey values.")

  fileprivate static let importance = Paper(
    title: "Importance Weighted Autoencoders", authors: "Burda, Grosse, Salakhutdinov", year: 2016,
    summary: "Weighted draws of the code bound the log-likelihood more tightly the more there are.")

  fileprivate static let semiSupervised = Paper(
    title: "Semi-supervised Learning with Deep Generative Models", authors: "Kingma, Mohamed, Rezende, Welling",
    year: 2014,
    summary: "The class is a latent that is summed over where no label is known.")
}
