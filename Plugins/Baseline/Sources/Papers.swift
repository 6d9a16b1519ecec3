import LatentKit

/// Where parts in common use were published.
extension Paper {
  static let variational = Paper(
    title: "Auto-Encoding Variational Bayes", authors: "Kingma, Welling", year: 2014,
    summary: "A code that is a distribution, held close to a prior by a divergence: the variational autoencoder.")

  static let annealed = Paper(
    title: "Generating Sentences from a Continuous Space", authors: "Bowman, Vilnis, Vinyals, Dai, Jozefowicz, Bengio",
    year: 2016, summary: "The weight of the divergence rises from 0, so that the code is used before it is held.")

  static let adam = Paper(
    title: "Adam: A Method for Stochastic Optimization", authors: "Kingma, Ba", year: 2015,
    summary: "Steps of about the learning rate's length, by running means of gradients and of their squares.")

  static let adamW = Paper(
    title: "Decoupled Weight Decay Regularization", authors: "Loshchilov, Hutter", year: 2019,
    summary: "Adam whose weight decay shrinks the weights directly, instead of joining the gradient.")

  static let warmRestarts = Paper(
    title: "SGDR: Stochastic Gradient Descent with Warm Restarts", authors: "Loshchilov, Hutter", year: 2017,
    summary: "The learning rate falls along half a cosine. Restarts are left out here.")

  static let residual = Paper(
    title: "Deep Residual Learning for Image Recognition", authors: "He, Zhang, Ren, Sun", year: 2016,
    summary: "Blocks of convolutions with a shortcut around them, which can be stacked deep.")

  static let robust = Paper(
    title: "Robust Estimation of a Location Parameter", authors: "Huber", year: 1964,
    summary: "An error that is square near zero and linear beyond, so that outliers weigh less.")

  static let similarity = Paper(
    title: "Image Quality Assessment: From Error Visibility to Structural Similarity",
    authors: "Wang, Bovik, Sheikh, Simoncelli", year: 2004,
    summary: "Images are compared by means, variances and covariance in a moving window.")

  static let frechet = Paper(
    title: "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
    authors: "Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter", year: 2017,
    summary: "Samples are compared with data by the Fréchet distance of two Gaussians in a classifier's features.")

  static let kernelDistance = Paper(
    title: "Demystifying MMD GANs", authors: "Bińkowski, Sutherland, Arbel, Gretton", year: 2018,
    summary: "Samples are compared with data by an unbiased kernel distance in a classifier's features.")

  static let density = Paper(
    title: "Reliable Fidelity and Diversity Metrics for Generative Models", authors: "Naeem, Oh, Uh, Choi, Yoo",
    year: 2020,
    summary: "Density and coverage beside precision and recall, by balls around nearest neighbours.")

  static let dataCopying = Paper(
    title: "A Non-Parametric Test to Detect Data-Copying in Generative Models", authors: "Meehan, Chaudhuri, Dasgupta",
    year: 2020,
    summary: "Samples that lie nearer to training examples than unseen data do are copies of them.")

  static let accuracyScore = Paper(
    title: "Classification Accuracy Score for Conditional Generative Models", authors: "Ravuri, Vinyals", year: 2019,
    summary: "A classifier that is trained on samples alone is tested on data.")
}
