import LatentKit

/// Classifiers whose embeddings lie close around learned class centroids.
public enum IntraClassVariancePlugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "On Intra-Class Variance for Deep Learning of Classifiers", authors: "Pilarczyk, Skarbek", year: 2019,
    summary: """
      Beside cross entropy, the variance of embeddings around class centroids is made small, and the centroids are \
      parameters of the model.
      """)

  public static let contributions: [Contribution] = [
    .prior(
      "learned-centroids", LearnedCentroids.self,
      "a Gaussian around each class centroid, which is learned (eqs. 5, 7, 8)",
      with: Companions(
        [.sampler: "class-gaussian"], losses: ["mse", PartChoice("intra-class-variance", weight: 0.05)],
        metrics: ["nearest-class-mean"])),
    .encoder(
      "embedding-cnn", EmbeddingCNN.self, "pairs of 3x3 convolutions and one more, to an embedding of 2 or 4 values",
      with: embeds),
    .encoder(
      "lenet++", LeNetPlusPlus.self, "three pairs of 5x5 convolutions with PReLU, to an embedding", with: embeds,
      paper: .centers),
    .loss(
      "intra-class-variance", IntraClassVarianceLoss.self,
      "squared distance of latents from their class's centroid, of any prior that has some (eq. 5)"),
    .loss(
      "inter-class-variance", InterClassVarianceLoss.self,
      "the negative variance between classes, under a bound on the total variance (section 2.3)"),
    .loss("distance-softmax", DistanceSoftmax.self, "cross entropy of softmax over squared distances from centroids"),
    .loss(
      "center", CenterLoss.self, "half the squared distance from centroids that follow by rule", paper: .centers),
    .classifier(
      "scaled-linear", ScaledLinearClassifier.self,
      "one linear layer on a multiple of the latent, for latents of length 1", with: Companions(metrics: ["accuracy"]),
      paper: .normface),
    .classifier(
      "cosine", CosineClassifier.self, "cosines of a latent and a direction for each class",
      with: Companions(metrics: ["accuracy"]), paper: .margin),
    .loss(
      "additive-margin-softmax", AdditiveMarginSoftmax.self, "cross entropy of cosines, the label's less a margin",
      with: Companions([.classifier: "cosine"]), paper: .margin),
    .metric(
      "class-variance", ClassVariance.self,
      "variances within and between classes and of all, Fisher ratio, class and grand means (section 2.2)"),
    .metric(
      "neural-collapse", NeuralCollapseMetric.self,
      "tr(S_W S_B⁺)/K, and how often nearest mean and highest score agree", paper: .collapse),
    .metric(
      "map-at-r", RetrievalMetric.self,
      "MAP@R, R-precision and precision at 1, of unseen classes where some are held out",
      paper: .reality),
    .metric(
      "verification", Verification.self,
      "same class or different: AUC and equal error rate, of unseen classes where some are held out"),
    .metric(
      "enrolment", EnrolmentMetric.self,
      "accuracy on classes enrolled by a few examples each, unseen ones where some are held out"),
  ]

  /// The paper's training: Adam at 0.001, without a schedule.
  private static let embeds = Companions([
    .decoder: PartChoice("mlp"), .optimizer: PartChoice("adam"), .schedule: "constant",
  ])
}

extension Paper {
  static let centers = Paper(
    title: "A Discriminative Feature Learning Approach for Deep Face Recognition", authors: "Wen, Zhang, Li, Qiao",
    year: 2016,
    summary: "Cross entropy with half the squared distance of features to class centres, which follow each mini-batch.")

  static let normface = Paper(
    title: "NormFace: L2 Hypersphere Embedding for Face Verification", authors: "Wang, Xiang, Cheng, Yuille",
    year: 2017,
    summary: "Softmax over normalised features needs a scale, without which it does not converge.")

  static let margin = Paper(
    title: "Additive Margin Softmax for Face Verification", authors: "Wang, Cheng, Liu, Liu", year: 2018,
    summary: "Cross entropy of scaled cosines, of which the label's must exceed the others by a margin.")

  static let collapse = Paper(
    title: "Prevalence of Neural Collapse during the Terminal Phase of Deep Learning Training",
    authors: "Papyan, Han, Donoho", year: 2020,
    summary: "Trained on, features of a class shrink to its mean, and the means to a simplex.")

  static let reality = Paper(
    title: "A Metric Learning Reality Check", authors: "Musgrave, Belongie, Lim", year: 2020,
    summary: "MAP@R and equal conditions: older losses do about as well as newer ones.")
}
