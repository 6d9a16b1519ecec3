// Projections of weights onto balls of norms that make them sparse, in place.
//
// Every ball but l2,1 takes a threshold off the magnitudes of a group of weights, |w| = max(|v| - tau, 0); what differs is
// how the thresholds depend on each other. They are found as Michelot (1986) and Condat (2016) do: a threshold from all
// weights is too low; drop the weights that it zeroes, and ask again, until none drops out. The last answer is exact up to
// the rounding of doubles: nothing is bisected, and nothing is sorted.
#include "sparse_sae_native.h"

#include "bridge.h"
#include "parallel.h"
#include "vectors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

using namespace bridge;

namespace {

/// Some magnitudes: how many, and their sum.
struct Sum {
  int64_t count;
  double total;
};

// ---- Kernels: sums run in lanes, so that they can be vectorised, and in double -----------------------------------------
constexpr int64_t lanes = 16;

template <typename T, bool squared>
INLINE double sumRun(const T *v, int64_t count) {
  double sums[lanes] = {};
  auto add = [](double value) { return squared ? value * value : std::fabs(value); };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += add(v[i + lane]);
  for (; i < count; i++) sums[i % lanes] += add(v[i]);
  double sum = 0;
  for (double part : sums) sum += part;
  return sum;
}

template <typename T>
INLINE Sum sumAboveRun(const T *v, int64_t count, T bound) {
  double sums[lanes] = {}, counts[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t lane = 0; lane < lanes; lane++) {
      const T size = std::fabs(v[i + lane]);
      sums[lane] += size > bound ? static_cast<double>(size) : 0.0;
      counts[lane] += size > bound ? 1.0 : 0.0;
    }
  for (; i < count; i++) {
    const T size = std::fabs(v[i]);
    if (size > bound) sums[0] += size, counts[0]++;
  }
  Sum sum{0, 0};
  for (int64_t lane = 0; lane < lanes; lane++)
    sum.total += sums[lane], sum.count += static_cast<int64_t>(counts[lane]);
  return sum;
}

template <typename T>
INLINE T shrunk(T v, double tau) {
  const double value = v, low = value < -tau ? -tau : value;
  return static_cast<T>(value - (low > tau ? tau : low));
}

// Clones need plain functions, one for each type. `Each` has a number for every value, `Run` one for all.
#define KERNELS(T)                                                                                                     \
  WIDEST double sumOf(const T *v, int64_t count) { return sumRun<T, false>(v, count); }                                \
  WIDEST double sumOfSquares(const T *v, int64_t count) { return sumRun<T, true>(v, count); }                          \
  WIDEST void addEach(const T *v, double *sums, int64_t count) {                                                       \
    for (int64_t i = 0; i < count; i++) sums[i] += std::fabs(static_cast<double>(v[i]));                               \
  }                                                                                                                    \
  WIDEST void addSquareOfEach(const T *v, double *sums, int64_t count) {                                               \
    for (int64_t i = 0; i < count; i++) sums[i] += static_cast<double>(v[i]) * v[i];                                   \
  }                                                                                                                    \
  WIDEST Sum sumAbove(const T *v, int64_t count, T bound) { return sumAboveRun(v, count, bound); }                     \
  WIDEST void shrinkRun(T *v, double tau, int64_t count) {                                                             \
    for (int64_t i = 0; i < count; i++) v[i] = shrunk(v[i], tau);                                                      \
  }                                                                                                                    \
  WIDEST void shrinkEach(T *v, const double *taus, int64_t count) {                                                    \
    for (int64_t i = 0; i < count; i++) v[i] = shrunk(v[i], taus[i]);                                                  \
  }                                                                                                                    \
  WIDEST void scaleRun(T *v, double scale, int64_t count) {                                                            \
    for (int64_t i = 0; i < count; i++) v[i] = static_cast<T>(v[i] * scale);                                           \
  }                                                                                                                    \
  WIDEST void scaleEach(T *v, const double *scales, int64_t count) {                                                   \
    for (int64_t i = 0; i < count; i++) v[i] = static_cast<T>(v[i] * scales[i]);                                       \
  }
KERNELS(float)
KERNELS(double)

/// The largest `T` that is not above `tau`: a magnitude of type `T` is above the one exactly where it is above the other.
template <typename T>
T bound(double tau) {
  const T near = static_cast<T>(tau);
  return static_cast<double>(near) > tau ? std::nextafter(near, -std::numeric_limits<T>::infinity()) : near;
}

/// Keeps the magnitudes above `tau`, in their order; `kept` may be `v` itself.
template <typename T>
int64_t keepAbove(const T *v, int64_t count, double tau, T *kept) {
  const T low = bound<T>(tau);
  int64_t place = 0;
  for (int64_t i = 0; i < count; i++) {
    const T size = std::fabs(v[i]);
    kept[place] = size;
    place += size > low;
  }
  return place;
}

// ---- Groups ------------------------------------------------------------------------------------------------------------
/// How a tensor is made of groups: value `i` of run `o` of group `g` is at `(o * groups + g) * inner + i`.
struct Layout {
  int64_t outer, groups, inner;

  /// Rows are the first axis; columns are the second, each with all that the other axes hold.
  Layout(const at::Tensor &t, bool columns)
      : outer(columns ? t.size(0) : 1), groups(t.dim() == 0 ? 1 : t.size(columns ? 1 : 0)),
        inner(t.numel() / std::max<int64_t>(outer * groups, 1)) {}

  /// Values in a group.
  int64_t size() const { return outer * inner; }
  int pieces() const { return bridge::pieces(groups, 1 + 32768 / std::max<int64_t>(size(), 1)); }
};

/// The sum of magnitudes, or of squares, of each group. Whatever the number of threads, the sums are the same.
template <typename T>
std::vector<double> groupSums(const Layout &g, const T *data, bool squared) {
  std::vector<double> sums(g.groups, 0.0);
  parallel(g.pieces(), g.groups, [&](int, int64_t begin, int64_t end) {
    for (int64_t o = 0; o < g.outer; o++) {
      const T *runs = data + (o * g.groups + begin) * g.inner;
      double *own = sums.data() + begin;
      if (g.inner == 1 && squared) addSquareOfEach(runs, own, end - begin);
      else if (g.inner == 1) addEach(runs, own, end - begin);
      else
        for (int64_t group = begin; group < end; group++, runs += g.inner)
          *own++ += squared ? sumOfSquares(runs, g.inner) : sumOf(runs, g.inner);
    }
  });
  return sums;
}

/// Calls `run(values, number, count)` or `each(values, numbers, count)` for all values, with the number of their group.
template <typename T, typename Run, typename Each>
void change(const Layout &g, T *data, const std::vector<double> &numbers, Run run, Each each) {
  const int64_t lines = g.outer == 1 ? g.groups : g.outer, length = g.outer == 1 ? g.inner : g.groups * g.inner;
  parallel(pieces(lines, 1 + 32768 / std::max<int64_t>(length, 1)), lines, [&](int, int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line++) {
      T *values = data + line * length;
      if (g.outer == 1) run(values, numbers[line], length);
      else if (g.inner == 1) each(values, numbers.data(), length);
      else
        for (int64_t group = 0; group < g.groups; group++) run(values + group * g.inner, numbers[group], g.inner);
    }
  });
}

template <typename T>
void shrink(const Layout &g, T *data, const std::vector<double> &taus) {
  change(
    g, data, taus, [](T *v, double tau, int64_t count) { shrinkRun(v, tau, count); },
    [](T *v, const double *taus, int64_t count) { shrinkEach(v, taus, count); });
}

template <typename T>
void scale(const Layout &g, T *data, const std::vector<double> &scales) {
  change(
    g, data, scales, [](T *v, double scale, int64_t count) { scaleRun(v, scale, count); },
    [](T *v, const double *scales, int64_t count) { scaleEach(v, scales, count); });
}

/// Copies the groups `first ..< last`, whose values lie apart, into one piece each, `stride` values apart.
template <typename T>
void gather(const Layout &g, const T *data, int64_t first, int64_t last, int64_t stride, T *gathered) {
  constexpr int64_t block = 8;
  int64_t o = 0;
  if (g.inner == 1)
    for (; o + block <= g.outer; o += block)
      for (int64_t group = first; group < last; group++) {
        const T *from = data + o * g.groups + group;
        T *place = gathered + (group - first) * stride + o;
        for (int64_t i = 0; i < block; i++) place[i] = from[i * g.groups];
      }
  for (; o < g.outer; o++)
    for (int64_t group = first; group < last; group++)
      std::copy_n(data + (o * g.groups + group) * g.inner, g.inner, gathered + (group - first) * stride + o * g.inner);
}

/// Calls `body(group, values, spare)` for each group with its values in one piece and room for as many more. Groups whose
/// values lie apart are gathered, a few at a time, so that every line of the cache is read once.
template <typename T, typename Body>
void forGroups(const Layout &g, const T *data, Body body) {
  constexpr int64_t tile = 32;
  // Columns of a power of two would all fall into the same set of the cache.
  const int64_t stride = g.size() + 16;
  const int count = g.pieces();
  std::vector<std::vector<T>> scratch(count, std::vector<T>(stride * (g.outer == 1 ? 1 : tile + 1)));
  parallel(count, g.groups, [&](int piece, int64_t begin, int64_t end) {
    T *spare = scratch[piece].data(), *gathered = spare + stride;
    for (int64_t first = begin; first < end; first += tile) {
      const int64_t last = std::min(first + tile, end);
      if (g.outer > 1) gather(g, data, first, last, stride, gathered);
      for (int64_t group = first; group < last; group++)
        body(group, g.outer == 1 ? data + group * g.inner : gathered + (group - first) * stride, spare);
    }
  });
}

// ---- Thresholds ----------------------------------------------------------------------------------------------------------
/// The tau for which the sum of `max(|v| - tau, 0)` is `radius`, for magnitudes that sum up to `total`, more than it.
///
/// Drops what is below the threshold of what is left, until nothing is. A round that drops few values needs them to lie
/// further apart than those of the round before, by the share that it drops, so the digits of a number bound such rounds.
template <typename T>
double threshold(const T *v, int64_t count, double total, double radius, T *spare) {
  if (radius <= 0) return std::numeric_limits<double>::infinity();
  double tau = (total - radius) / count;
  int64_t active = count;
  while (true) {
    const Sum above = sumAbove(v, count, bound<T>(tau));
    // None has dropped out; or none is above: the values are ties, and `radius` is too small beside them for a double to tell.
    if (above.count >= active || above.count == 0) return std::max(tau, 0.0);
    if (2 * above.count < count) {
      count = keepAbove(v, count, tau, spare);
      v = spare;
    }
    active = above.count;
    tau = (above.total - radius) / above.count;
  }
}

/// The thresholds of all groups where they depend on each other. `next` makes them from the sums of the magnitudes that
/// are still in; what it makes must not fall from round to round.
template <typename T, typename Next>
std::vector<double> thresholds(const Layout &g, const T *data, const std::vector<double> &totals, Next next) {
  struct Group {
    Sum active;
    int64_t stored;
  };
  std::vector<Group> groups(g.groups);
  for (int64_t group = 0; group < g.groups; group++) groups[group] = {{g.size(), totals[group]}, g.size()};
  std::vector<Sum> active(g.groups);
  std::vector<double> taus(g.groups, 0.0);
  std::unique_ptr<T[]> stored(new T[g.groups * g.size()]);
  for (bool first = true;; first = false) {
    for (int64_t group = 0; group < g.groups; group++) active[group] = groups[group].active;
    if (!next(active, taus)) return taus;
    std::vector<char> dropped(g.groups, 0);
    if (first) {
      forGroups(g, data, [&](int64_t group, const T *values, T *) {
        T *kept = stored.get() + group * g.size();
        const int64_t count = keepAbove(values, g.size(), taus[group], kept);
        dropped[group] = count < g.size();
        groups[group] = {{count, sumOf(kept, count)}, count};
      });
    } else {
      parallel(g.pieces(), g.groups, [&](int, int64_t begin, int64_t end) {
        for (int64_t group = begin; group < end; group++) {
          T *kept = stored.get() + group * g.size();
          auto &[active, count] = groups[group];
          const Sum above = sumAbove(kept, count, bound<T>(taus[group]));
          dropped[group] = above.count < active.count;
          active = above;
          if (2 * above.count < count) count = keepAbove(kept, count, taus[group], kept);
        }
      });
    }
    if (std::find(dropped.begin(), dropped.end(), 1) == dropped.end()) return taus;
  }
}

/// One threshold for all: what is in, less the radius, shared evenly.
struct CommonThreshold {
  double radius;

  bool operator()(const std::vector<Sum> &active, std::vector<double> &taus) const {
    Sum all{0, 0};
    for (const Sum &sum : active) all.count += sum.count, all.total += sum.total;
    // Ties, with a radius that is too small beside them for a double to tell.
    if (all.count == 0) return false;
    std::fill(taus.begin(), taus.end(), std::max((all.total - radius) / all.count, taus[0]));
    return true;
  }
};

/// The thresholds of the l1,2 ball: `tau = lambda s` with `s = S / (1 + lambda k)` the group's norm after the projection, `S`
/// and `k` the sum and count of its magnitudes that are in, and `lambda` such that the squares of `s` sum up to the radius's.
///
/// `1 / sqrt(sum of s²)` grows with lambda and is concave, so Newton's method climbs to the root from below and never
/// passes it; for groups that all have the same `k` it is there in one step.
struct SharedMultiplier {
  double radius;
  double lambda = 0;

  bool operator()(const std::vector<Sum> &active, std::vector<double> &taus) {
    for (int step = 0; step < 100; step++) {
      double squares = 0, slope = 0;
      for (const Sum &sum : active) {
        const double s = sum.total / (1 + lambda * sum.count);
        squares += s * s;
        slope += s * s * sum.count / (1 + lambda * sum.count);
      }
      const double next = lambda + squares * (std::sqrt(squares) / radius - 1) / slope;
      if (next == std::numeric_limits<double>::infinity()) {
        // A radius that is nothing beside the weights.
        std::fill(taus.begin(), taus.end(), next);
        return false;
      }
      if (!(next > lambda)) break;
      lambda = next;
    }
    for (size_t group = 0; group < taus.size(); group++)
      taus[group] = std::max(active[group].total * lambda / (1 + lambda * active[group].count), taus[group]);
    return true;
  }
};

double sum(const std::vector<double> &values) {
  double result = 0;
  for (double value : values) result += value;
  TORCH_CHECK(std::isfinite(result), "found weights that are not finite, or too large to add up; nothing is changed");
  return result;
}

/// Algorithm 1 of Barlaud & Guyard 2021: the norms of the groups go onto the l1 ball, then each group onto its own.
template <typename T>
void projectL11(const Layout &g, T *data, double radius) {
  const auto norms = groupSums(g, data, false);
  const double total = sum(norms);
  if (total <= radius) return;
  std::vector<double> spare(g.groups), taus(g.groups, 0.0);
  const double cut = threshold(norms.data(), g.groups, total, radius, spare.data());
  forGroups(g, data, [&](int64_t group, const T *values, T *spare) {
    const double own = std::max(norms[group] - cut, 0.0);
    if (own < norms[group]) taus[group] = threshold(values, g.size(), norms[group], own, spare);
  });
  shrink(g, data, taus);
}

template <typename T>
void projectL21(const Layout &g, T *data, double radius) {
  auto norms = groupSums(g, data, true);
  for (double &norm : norms) norm = std::sqrt(norm);
  const double total = sum(norms);
  if (total <= radius) return;
  std::vector<double> spare(g.groups);
  const double cut = threshold(norms.data(), g.groups, total, radius, spare.data());
  for (double &norm : norms) norm = norm > cut ? 1 - cut / norm : 0;
  scale(g, data, norms);
}

template <typename T>
void project(at::Tensor &t, sparse_sae_ball ball, double radius, bool columns) {
  const Layout g(t, columns && ball != SPARSE_SAE_L1);
  T *data = t.data_ptr<T>();
  if (ball == SPARSE_SAE_L11) return projectL11(g, data, radius);
  if (ball == SPARSE_SAE_L21) return projectL21(g, data, radius);
  const auto norms = groupSums(g, data, false);
  double norm = 0;
  for (double own : norms) norm += ball == SPARSE_SAE_L1 ? own : own * own;
  norm = ball == SPARSE_SAE_L1 ? sum({norm}) : std::sqrt(sum({norm}));
  if (norm <= radius) return;
  if (radius == 0) std::fill_n(data, t.numel(), T(0));
  else if (ball == SPARSE_SAE_L1) shrink(g, data, thresholds(g, data, norms, CommonThreshold{radius}));
  else shrink(g, data, thresholds(g, data, norms, SharedMultiplier{radius}));
}

}  // namespace

int sparse_sae_project(ct_tensor t, sparse_sae_ball ball, double radius, bool columns) {
  return status([&] {
    auto &weights = open(t);
    TORCH_CHECK(radius >= 0 && std::isfinite(radius), "found radius ", radius, ", expected a finite number from 0 on");
    TORCH_CHECK(ball == SPARSE_SAE_L1 || weights.dim() >= 2, "groups need two axes or more; found ", weights.dim());
    TORCH_CHECK(
      weights.scalar_type() == at::kFloat || weights.scalar_type() == at::kDouble, "expected float32 or float64, found ",
      weights.scalar_type());
    if (weights.numel() == 0) return;
    const bool inPlace = weights.is_cpu() && weights.is_contiguous();
    auto values = inPlace ? weights : weights.to(at::kCPU).contiguous();
    if (values.scalar_type() == at::kFloat) project<float>(values, ball, radius, columns);
    else project<double>(values, ball, radius, columns);
    if (!inPlace) weights.copy_(values);
  });
}
