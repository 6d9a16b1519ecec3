import LatentKit

/// The sparse non-parametric supervised autoencoder. Here is its generative half: sampling from the density
/// that the training latents really have.
public enum SparseSAEPlugin: Plugin {
  public static let paper = Paper(
    title: "Learning a Sparse Generative Non-Parametric Supervised Autoencoder",
    authors: "Barlaud, Guyard", year: 2021,
    summary: """
      A supervised autoencoder whose latents follow no parametric prior: it generates by walking over a kernel density \
      estimate of the training latents, and is made sparse by projection onto a structured l1 ball.
      """)

  public static let contributions: [Contribution] = [
    .sampler(
      "mh", MetropolisHastingsSampler.self,
      "Metropolis-Hastings on a kernel density estimate of each class's training latents"),
    .metric("silhouette", Silhouette.self, "how far classes are apart in the latent space (Rousseeuw 1987)"),
  ]
}
