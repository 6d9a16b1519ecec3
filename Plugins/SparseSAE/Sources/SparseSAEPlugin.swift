import LatentKit

/// The sparse non-parametric supervised autoencoder: weights on structured balls, and sampling from the density that the
/// training latents really have.
public enum SparseSAEPlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "Learning a Sparse Generative Non-Parametric Supervised Autoencoder",
    authors: "Barlaud, Guyard", year: 2021,
    summary: """
      A supervised autoencoder whose latents follow no parametric prior: it generates by walking over a kernel density \
      estimate of the training latents, and is made sparse by projection onto a structured l1 ball.
      """)

  public static let contributions: [Contribution] = [
    .prior(
      "kde", KernelDensityPrior.self, "the kernel density of each class's training latents, learned after each stage"),
    .sampler("kde", KernelDensitySampler.self, "exact draws from the kernel density of each class's training latents"),
    .sampler(
      "mh", MetropolisHastingsSampler.self,
      "Metropolis-Hastings on a kernel density estimate of each class's training latents, or on the prior"),
    .sampler(
      "gibbs", GibbsSampler.self, "Gibbs' sampler on a kernel density estimate of each class's training latents"),
    .constraint("l1-ball", L1Ball.self, "bounds the sum of magnitudes: zeros anywhere", paper: .l1Ball),
    .constraint("l11-ball", L11Ball.self, "Algorithm 1: bounds it group by group, zeroing groups and weights inside"),
    .constraint(
      "l12-ball", L12Ball.self, "bounds the l1,2 norm (exclusive lasso): zeros inside of groups", paper: .exclusiveLasso
    ),
    .constraint(
      "l21-ball", L21Ball.self, "bounds the l2,1 norm (group lasso): zeroes whole groups", paper: .groupLasso),
    .metric(
      "silhouette", Silhouette.self, "how far classes are apart in the latent space (Rousseeuw 1987)",
      paper: .silhouettes),
  ]
}
