import Datasets
import LatentKit

/// The parts that every autoencoder is made of. They have no privileges over those of other plugins.
public enum BaselinePlugin: Plugin {
  /// Most parts are in common use and of no paper; the others name theirs.
  public static let paper: Paper? = nil

  public static let contributions: [Contribution] =
    [
      .transform("log1p", LogTransform.self, "logarithms of counts and intensities"),
      .transform("center", CenterTransform.self, "subtracts each column's training mean"),
      .transform("scale", ScaleTransform.self, "divides each column by its training standard deviation"),
      .transform("min-max", MinMaxTransform.self, "maps each column's training range to 0 to 1, or other bounds"),
      .transform("impute", ImputeTransform.self, "fills in missing values by the training mean, median, or zero"),
      .encoder(
        "mlp", MLPEncoder.self, "fully connected layers",
        with: Companions([.decoder: "mlp", .optimizer: "adam", .schedule: "cosine"])),
      .encoder(
        "conv", ConvEncoder.self, "3x3 convolutions of stride 2 with batch normalisation",
        with: Companions(
          [.decoder: "deconv", .optimizer: "adam", .schedule: "cosine"], settings: [.data: ["padTo": 8]])),
      .encoder(
        "resnet", ResNetEncoder.self,
        "residual blocks of stride 2 (He et al. 2016; widths of Zhu & Zhang 2019, Table 1)",
        with: Companions(
          [
            .decoder: "deconv", .optimizer: PartChoice("adam", with: ["learningRate": 0.003]),
            .schedule: PartChoice("cosine", with: ["warmUp": 0.5]),
          ], epochs: 6, settings: [.data: ["padTo": 8]]),
        paper: .residual),
      .prior(
        "standard-normal", StandardNormal.self, "N(0, I): the prior of the variational autoencoder",
        with: Companions(
          [.sampler: "prior"], losses: [PartChoice("mse", with: ["reduction": "sum"]), "kl"],
          settings: [.encoder: ["code": "gaussian"]]),
        paper: .variational),
      .decoder("mlp", MLPDecoder.self, "fully connected layers", with: reconstructs),
      .decoder(
        "deconv", DeconvDecoder.self, "transposed convolutions that double the size, each with a 3x3 convolution",
        with: reconstructs),
      .classifier("linear", LinearClassifier.self, "one linear layer", with: Companions(metrics: ["accuracy"])),
      .classifier("mlp", MLPClassifier.self, "fully connected layers", with: Companions(metrics: ["accuracy"])),
      .sampler("prior", PriorSampler.self, "independent draws from the prior"),
      .metric("accuracy", Accuracy.self, "share of examples whose highest class score is right"),
      .metric(
        "balanced-accuracy", BalancedAccuracy.self,
        "share of each class's examples whose class is predicted, averaged over classes"),
      .metric("f1", MacroF1.self, "F1 score of each class, averaged over classes"),
      .metric(
        "auc", AreaUnderCurve.self,
        "area under the ROC curve of each class against the others by the softmax of the scores, averaged over classes"),
      .metric("confusion", Confusion.self, "examples by true and predicted class"),
      .metric(
        "reconstruction-error", ReconstructionError.self,
        "mean squared error of a reconstructed value; of images from 0 to 1 and without padding"),
      .metric("psnr", PeakSignalToNoise.self, "peak signal-to-noise ratio of reconstructed images"),
      .metric(
        "ssim", MeanStructuralSimilarity.self, "structural similarity of reconstructed images", paper: .similarity),
      .metric("sharpness", Sharpness.self, "variance of the Laplacian, of reconstructions, originals and samples"),
      .metric(
        "rate", Rate.self,
        "mean divergence of codes from the prior in nats, active latents, and whether the code has collapsed"),
      .metric(
        "class-agreement", ClassAgreement.self,
        "share of reconstructions that another run's classifier finds to be of the original's class"),
      .metric(
        "sample-class-agreement", SampleClassAgreement.self,
        "share of samples that another run's classifier finds to be of the class they were drawn for"),
      .metric(
        "frechet-distance", SampleFrechetDistance.self,
        "Fréchet distance of samples to data, in another run's features",
        paper: .frechet),
      .metric(
        "kid", KernelInceptionDistance.self, "kernel inception distance of samples to data, in another run's features",
        paper: .kernelDistance),
      .metric(
        "precision-recall", PrecisionRecall.self,
        "precision, recall, density and coverage of samples, in another run's features", paper: .density),
      .metric(
        "data-copying", DataCopyingMetric.self,
        "whether samples lie nearer to training examples than unseen data do, and how new they are", paper: .dataCopying
      ),
      .metric(
        "classification-accuracy-score", ClassificationAccuracyScore.self,
        "accuracy on data of a classifier trained on samples", paper: .accuracyScore),
      .loss("mse", SquaredError.self, "squared error of the reconstruction"),
      .loss("huber", HuberError.self, "Huber's error of the reconstruction, robust to outliers", paper: .robust),
      .loss("bce", BinaryCrossEntropy.self, "binary cross entropy of the reconstruction, for inputs in [0, 1]"),
      .loss("kl", Divergence.self, "divergence of the code from the prior", with: inNats, paper: .variational),
      .loss(
        "annealed-kl", AnnealedDivergence.self, "divergence of the code from the prior, with a warm-up or free bits",
        with: inNats, paper: .annealed),
      .loss("cross-entropy", CrossEntropy.self, "cross entropy of class scores"),
      .optimizer("sgd", SGDRule.self, "stochastic gradient descent with momentum and weight decay"),
      .optimizer("adam", AdamRule.self, "Adam (Kingma & Ba 2015), with L2 weight decay", paper: .adam),
      .optimizer("adamw", AdamWRule.self, "Adam with decoupled weight decay (Loshchilov & Hutter 2019)", paper: .adamW),
      .schedule("constant", ConstantSchedule.self, "the same learning rate throughout"),
      .schedule("step", StepSchedule.self, "times a factor every few epochs"),
      .schedule(
        "cosine", CosineSchedule.self, "half a cosine down to a floor (Loshchilov & Hutter 2017)", paper: .warmRestarts),
    ] + Contribution.knownData

  /// Beside a divergence in nats the mean error of a pixel would weigh nothing, and the code collapse onto the prior.
  private static let inNats = Companions(settings: [.loss: ["reduction": "sum"]])
  private static let reconstructs = Companions(metrics: ["reconstruction-error"])
}
