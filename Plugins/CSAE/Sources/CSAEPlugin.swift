import LatentKit

/// The classification supervised autoencoder: classes at predefined, evenly distributed centroids.
public enum CSAEPlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "A Classification Supervised Auto-Encoder Based on Predefined Evenly-Distributed Class Centroids",
    authors: "Zhu, Zhang", year: 2019,
    summary: """
      Each class is pulled to a point that was fixed beforehand, all of them as far apart as can be; so the latents \
      classify by the nearest centroid, and decode.
      """)

  public static let contributions: [Contribution] = [
    .prior(
      "pedcc", PEDCC.self, "a Gaussian around each of the evenly distributed class centroids",
      with: Companions(
        [.noise: "scaled-gaussian", .sampler: "class-gaussian"],
        losses: ["centroid", "mse", PartChoice("sobel", weight: 0.02)], metrics: ["nearest-class-mean"])),
    .encoder(
      "pooled-resnet", PooledResNetEncoder.self, "residual blocks, then average pooling instead of a linear layer",
      with: Companions(
        [.decoder: "deconv", .optimizer: "adam", .schedule: "cosine"], settings: [.data: ["padTo": 8]])),
    .encoder(
      "conditional-mlp", ConditionalMLPEncoder.self, "fully connected layers to q(z|x, y), conditioned on the class",
      with: Companions([.decoder: "conditional-mlp", .optimizer: "adam", .schedule: "cosine"]), paper: conditional),
    .decoder(
      "conditional-mlp", ConditionalMLPDecoder.self, "fully connected layers, conditioned on the class",
      with: Companions(metrics: ["reconstruction-error"]), paper: conditional),
    .loss("centroid", CentroidLoss.self, "squared distance of latents from their class's centroid (eq. 6)"),
    .loss("sobel", SobelLoss.self, "difference in edge strength of reconstruction and input (eq. 8-9)"),
    .noise("scaled-gaussian", ScaledGaussianNoise.self, "Gaussian noise of deviation alpha beta (eq. 11-12)"),
    .sampler(
      "class-gaussian", ClassGaussianSampler.self, "draws from a Gaussian fitted to each class's training latents"),
    .metric("nearest-class-mean", NearestClassMean.self, "accuracy of the nearest centroid or class mean"),
    .metric("class-distances", ClassDistances.self, "distances of class means: all, least, mean, largest (Figure 8)"),
    .metric("centroid-angles", CentroidAngles.self, "angles and energy of the prior's centroids"),
  ]

  /// The conditional VAE that the paper compares with.
  private static let conditional = Paper(
    title: "Learning Structured Output Representation using Deep Conditional Generative Models",
    authors: "Sohn, Lee, Yan", year: 2015,
    summary: "A variational autoencoder whose encoder and decoder are conditioned on what is known, the class say.")
}

/// Where the paper and its authors' code disagree, which of them is followed.
public enum Fidelity: String, Choice {
  case paper
  case authorCode = "author-code"
}
