import LatentKit

/// The parts of the paper. A line gives a part its name in recipes and says in a few words what it is.
public enum __Name__Plugin: Plugin {
  public static let paper: Paper? = Paper(
    title: "Title of the paper", authors: "Authors", year: __year__,
    summary: "The paper in a sentence or two.")

  public static let contributions: [Contribution] = [
{encoder}    .encoder(
{encoder}      "__name__", __Name__Encoder.self, "one hidden layer",
{encoder}      with: Companions([.decoder: "__decoder__", .optimizer: "adam", .schedule: "cosine"]))__comma__
{decoder}    .decoder("__name__", __Name__Decoder.self, "one hidden layer")__comma__
{prior}    .prior(
{prior}      "__name__", __Name__Prior.self, "independent Laplace densities",
{prior}      with: Companions([.sampler: "__sampler__"], losses: [__losses__]))__comma__
{classifier}    .classifier("__name__", __Name__Classifier.self, "one linear layer")__comma__
{noise}    .noise("__name__", __Name__Noise.self, "Gaussian noise")__comma__
{loss}    .loss("__name__", __Name__Loss.self, "sum of powers of latents")__comma__
{sampler}    .sampler("__name__", __Name__Sampler.self, "training latents of the class, moved a little")__comma__
{metric}    .metric("__name__", __Name__Metric.self, "share of latents near 0")__comma__
{data}    .data(__Name__Data.entry)__comma__
  ]
}
