// Nearest neighbours and the points in balls, from exact distances of all pairs, some rows at a time.
//
// Distances are sums of squared differences in the same order for both ways of a pair: a point is on the surface of the ball that
// reaches to its copy, where |x|^2 - 2 xy + |y|^2 would round it to either side.
#include "cstatistics.h"

#include "bridge.h"

using bridge::open;

namespace {

// 32 MB of Float64.
int64_t rowsAtATime(int64_t columns) { return std::max<int64_t>(1, (int64_t(1) << 22) / std::max<int64_t>(columns, 1)); }

at::Tensor distances(const at::Tensor &a, const at::Tensor &b) {
  constexpr int64_t byDifferences = 2;
  return at::cdist(a, b, 2, byDifferences);
}

}  // namespace

ct_tensor cs_neighbor_distances(ct_tensor x, int64_t k) {
  return bridge::tensor([&] {
    const auto points = open(x).contiguous();
    TORCH_CHECK(points.dim() == 2, "expected points [n, dimensions]");
    const int64_t count = points.size(0), step = rowsAtATime(count);
    TORCH_CHECK(k >= 1 && k < count, "found neighbour ", k, ", expected 1 to ", count - 1);
    auto result = at::empty({count}, points.options());
    for (int64_t start = 0; start < count; start += step) {
      const int64_t rows = std::min(step, count - start);
      auto apart = distances(points.narrow(0, start, rows), points);
      apart.diagonal(start).fill_(std::numeric_limits<double>::infinity());
      result.narrow(0, start, rows).copy_(std::get<0>(apart.kthvalue(k, 1)));
    }
    return result;
  });
}

ct_tensor cs_nearest_neighbors(ct_tensor queries, ct_tensor points, int64_t k) {
  return bridge::tensor([&] {
    const auto places = open(queries).contiguous(), others = open(points).contiguous();
    TORCH_CHECK(places.dim() == 2 && others.dim() == 2 && places.size(1) == others.size(1),
      "expected queries [m, dimensions] and points [n, dimensions]");
    const int64_t count = places.size(0), step = rowsAtATime(others.size(0));
    TORCH_CHECK(k >= 1 && k <= others.size(0), "found ", k, " neighbours, expected 1 to ", others.size(0));
    auto result = at::empty({count, k}, places.options().dtype(at::kLong));
    // |q - p|^2 less |q|^2, which is the same for all points: one matrix product.
    const auto halves = others.square().sum(1).mul(0.5);
    for (int64_t start = 0; start < count; start += step) {
      const int64_t rows = std::min(step, count - start);
      const auto apart = halves - places.narrow(0, start, rows).matmul(others.t());
      result.narrow(0, start, rows).copy_(std::get<1>(apart.topk(k, 1, false, true)));
    }
    return result;
  });
}

ct_tensor cs_ball_counts(ct_tensor centers, ct_tensor radii, ct_tensor points) {
  return bridge::tensor([&] {
    const auto middles = open(centers).contiguous(), others = open(points).contiguous();
    const auto reach = open(radii).contiguous();
    TORCH_CHECK(middles.dim() == 2 && others.dim() == 2 && reach.dim() == 1 && reach.size(0) == middles.size(0),
      "expected centres [n, dimensions], radii [n] and points [m, dimensions]");
    const int64_t balls = middles.size(0), count = others.size(0), step = rowsAtATime(count);
    auto result = at::zeros({balls + count}, middles.options().dtype(at::kLong));
    auto holding = result.narrow(0, balls, count);
    for (int64_t start = 0; start < balls; start += step) {
      const int64_t rows = std::min(step, balls - start);
      const auto inside = distances(middles.narrow(0, start, rows), others) <= reach.narrow(0, start, rows).unsqueeze(1);
      result.narrow(0, start, rows).copy_(inside.sum(1));
      holding += inside.sum(0);
    }
    return result;
  });
}
