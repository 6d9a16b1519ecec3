import LatentKit

/// Where the parts that the paper compares with were published.
extension Paper {
  static let l1Ball = Paper(
    title: "Fast Projection onto the Simplex and the l1 Ball", authors: "Condat", year: 2016,
    summary: "The nearest point of the l1 ball, exact, in about linear time.")

  static let exclusiveLasso = Paper(
    title: "Sparsity and Persistence: Mixed Norms Provide Simple Signal Models with Dependent Coefficients",
    authors: "Kowalski, Torrésani", year: 2009,
    summary: "Mixed norms of groups of coefficients, l1,2 among them, under which no group vanishes.")

  static let groupLasso = Paper(
    title: "Multi-Task Feature Learning via Efficient l2,1-Norm Minimization", authors: "Liu, Ji, Ye", year: 2009,
    summary: "The nearest point of the l2,1 ball, under which whole groups vanish.")

  static let silhouettes = Paper(
    title: "Silhouettes: A Graphical Aid to the Interpretation and Validation of Cluster Analysis",
    authors: "Rousseeuw", year: 1987,
    summary: "How much nearer a point is to its own class than to the next.")
}
