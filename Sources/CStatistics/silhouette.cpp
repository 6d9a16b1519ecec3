// Silhouettes (Rousseeuw 1987), exactly, from the differences of all pairs of points: no matrix of distances, and none of the
// cancellation of |x|^2 - 2 xy + |y|^2.
//
// Points are sorted by class and turned, so that one coordinate of a class's points is a contiguous run. For each point,
// tiles of others keep their squared distances in registers over all coordinates; square roots are added up class by
// class, in Float64.
#include "cstatistics.h"

#include "bridge.h"
#include "parallel.h"
#include "vectors.h"

#include <algorithm>
#include <numeric>

using bridge::open;

namespace {

template <typename T>
struct Points {
  int64_t count, dimensions, classes;
  // [dimensions][count], sorted by class.
  const T *coordinates;
  // Where each class begins; the last entry is the count.
  const int64_t *starts;
  // The class of each point, and where its result goes.
  const int64_t *labels, *places;
  double *silhouettes;
};

// Sums the distances from a point to those of a run.
template <typename T>
INLINE double distances(const Points<T> &points, const T *point, int64_t begin, int64_t end) {
  constexpr int lanes = 64 / sizeof(T), vectors = 4, tile = lanes * vectors;
  typedef T Vector __attribute__((vector_size(64), aligned(sizeof(T))));
  typedef double Sums __attribute__((vector_size(lanes * sizeof(double))));
  Sums sums = {};
  int64_t at = begin;
  for (; at + tile <= end; at += tile) {
    Vector squares[vectors] = {};
    const T *row = points.coordinates + at;
    for (int64_t k = 0; k < points.dimensions; k++, row += points.count) {
      for (int v = 0; v < vectors; v++) {
        const Vector difference = *reinterpret_cast<const Vector *>(row + v * lanes) - point[k];
        squares[v] += difference * difference;
      }
    }
    Vector roots = __builtin_elementwise_sqrt(squares[0]);
    for (int v = 1; v < vectors; v++) roots += __builtin_elementwise_sqrt(squares[v]);
    sums += __builtin_convertvector(roots, Sums);
  }
  double total = 0;
  for (int lane = 0; lane < lanes; lane++) total += sums[lane];
  for (; at < end; at++) {
    T square = 0;
    for (int64_t k = 0; k < points.dimensions; k++) {
      const T difference = points.coordinates[k * points.count + at] - point[k];
      square += difference * difference;
    }
    total += __builtin_elementwise_sqrt(square);
  }
  return total;
}

// No library calls in here: they would not be cloned with their caller. `point` is room for one.
template <typename T>
INLINE void measure(const Points<T> &points, T *point, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) {
    for (int64_t k = 0; k < points.dimensions; k++) point[k] = points.coordinates[k * points.count + i];
    double own = 0, nearest = __builtin_inf();
    for (int64_t label = 0; label < points.classes; label++) {
      const int64_t first = points.starts[label], last = points.starts[label + 1];
      if (first == last) continue;
      const double sum = distances(points, point, first, last);
      // The distance to itself is 0 and does not count.
      if (label == points.labels[i]) own = last - first > 1 ? sum / (last - first - 1) : -1;
      else if (sum / (last - first) < nearest) nearest = sum / (last - first);
    }
    const double larger = own > nearest ? own : nearest;
    // A class of one has 0 by definition, and so has a point that coincides with all others.
    points.silhouettes[points.places[i]] = own < 0 || larger == 0 ? 0 : (nearest - own) / larger;
  }
}

WIDEST void measureFloats(const Points<float> &points, float *point, int64_t begin, int64_t end) {
  measure(points, point, begin, end);
}
WIDEST void measureDoubles(const Points<double> &points, double *point, int64_t begin, int64_t end) {
  measure(points, point, begin, end);
}

template <typename T, typename Measure>
at::Tensor silhouettes(const at::Tensor &x, const at::Tensor &labels, int64_t classes, Measure measure) {
  const int64_t count = x.size(0);
  const int64_t *label = labels.const_data_ptr<int64_t>();
  std::vector<int64_t> starts(classes + 1, 0), order(count), sorted(count);
  for (int64_t i = 0; i < count; i++) {
    TORCH_CHECK(label[i] >= 0 && label[i] < classes, "found label ", label[i], ", expected 0 to ", classes - 1);
    starts[label[i] + 1]++;
  }
  TORCH_CHECK(
    std::count_if(starts.begin() + 1, starts.end(), [](int64_t size) { return size > 0; }) >= 2,
    "found points of one class only, expected two or more classes");
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return label[a] < label[b]; });
  for (int64_t i = 0; i < count; i++) sorted[i] = label[order[i]];
  const auto turned = x.index_select(0, at::tensor(order)).t().contiguous();
  auto result = at::empty({count}, x.options().dtype(at::kDouble));
  const Points<T> points{
    count,         x.size(1),     classes,      turned.template const_data_ptr<T>(), starts.data(), sorted.data(),
    order.data(), result.template data_ptr<double>()};
  bridge::parallel(bridge::pieces(count, 64), count, [&](int, int64_t begin, int64_t end) {
    std::vector<T> point(points.dimensions);
    measure(points, point.data(), begin, end);
  });
  return result;
}

}  // namespace

ct_tensor cs_silhouettes(ct_tensor x, ct_tensor labels, int64_t classes) {
  return bridge::tensor([&] {
    const auto points = open(x).detach().to(at::kCPU);
    const auto members = open(labels).to(at::kCPU).contiguous();
    TORCH_CHECK(points.dim() == 2 && members.dim() == 1 && members.size(0) == points.size(0),
      "found points ", points.sizes(), " and labels ", members.sizes(), ", expected [n, dimensions] and [n]");
    TORCH_CHECK(members.scalar_type() == at::kLong, "expected labels of int64");
    if (points.scalar_type() == at::kDouble) return silhouettes<double>(points, members, classes, measureDoubles);
    return silhouettes<float>(points.to(at::kFloat), members, classes, measureFloats);
  });
}
