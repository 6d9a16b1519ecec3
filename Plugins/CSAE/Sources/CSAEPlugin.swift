import LatentKit

/// The classification supervised autoencoder: classes at predefined, evenly distributed centroids.
public enum CSAEPlugin: Plugin {
  public static let paper = Paper(
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
        noise: PartChoice("scaled-gaussian"), sampler: PartChoice("class-gaussian"),
        losses: [PartChoice("centroid"), PartChoice("mse"), PartChoice("sobel", weight: 0.02)],
        metrics: [PartChoice("nearest-class-mean")])),
    .encoder(
      "pooled-resnet", PooledResNetEncoder.self, "residual blocks, then average pooling instead of a linear layer",
      with: Companions(
        decoder: PartChoice("deconv"), optimizer: PartChoice("adam"), schedule: PartChoice("cosine"), data: ["pad": 2])),
    .decoder("conditional-mlp", ConditionalMLPDecoder.self, "fully connected layers that are told the class"),
    .loss("centroid", CentroidLoss.self, "squared distance of latents from their class's centroid (eq. 6)"),
    .loss("sobel", SobelLoss.self, "difference in edge strength of reconstruction and input (eq. 8-9)"),
    .noise("scaled-gaussian", ScaledGaussianNoise.self, "Gaussian noise of deviation alpha beta (eq. 11-12)"),
    .sampler(
      "class-gaussian", ClassGaussianSampler.self, "draws from a Gaussian fitted to each class's training latents"),
    .metric("nearest-class-mean", NearestClassMean.self, "accuracy of the nearest centroid or class mean"),
    .metric("class-distances", ClassDistances.self, "least, mean and largest distance of class means (Figure 8)"),
    .metric("centroid-angles", CentroidAngles.self, "angles and energy of the prior's centroids"),
  ]
}

/// Where the paper and its authors' code disagree, which of them is followed.
public enum Fidelity: String, Choice {
  case paper
  case authorCode = "author-code"
}
