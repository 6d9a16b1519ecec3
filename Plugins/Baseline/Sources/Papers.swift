import LatentKit

/// Where parts in common use were published.
extension Paper {
  static let variational = Paper(
    title: "Auto-Encoding Variational Bayes", authors: "Kingma, Welling", year: 2014,
    summary: "A code that is a distribution, held close to a prior by a divergence: the variational autoencoder.")

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
}
