// Sums of many Gaussian kernels at many places, as kernel density estimates and walks over them need. As a product of
// matrices and a log-sum-exp, most of the time goes into writing and reading a matrix of all places by all kernels; here
// each exponent lives in a register only.
#include "cstatistics.h"

#include "bridge.h"
#include "parallel.h"
#include "vectors.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace bridge;

namespace {

/// 64 bytes of numbers, and whole numbers of the same size: one register with AVX-512, several elsewhere.
template <typename T> struct Lanes;
template <> struct Lanes<float> {
  typedef float V __attribute__((vector_size(64)));
  typedef int32_t I __attribute__((vector_size(64)));
  static constexpr int mantissa = 23, degree = 6;
  static constexpr float lowest = -126;
};
template <> struct Lanes<double> {
  typedef double V __attribute__((vector_size(64)));
  typedef int64_t I __attribute__((vector_size(64)));
  static constexpr int mantissa = 52, degree = 13;
  static constexpr double lowest = -1022;
};

constexpr double ln2 = 0.693147180559945309417;
constexpr int together = 4;  // places at once, and vectors of kernels in a tile

/// What is common to all places: how kernels lie in memory.
template <typename T> struct Kernels {
  const T *rows;  // [groups, dimensions + 1, count]
  int64_t dimensions, count, chunk, chunks;
  static constexpr int lanes = 64 / sizeof(T);
  static constexpr int tile = together * lanes;

  Kernels(const T *rows, int64_t dimensions, int64_t count) : rows(rows), dimensions(dimensions), count(count) {
    // A chunk of kernels stays in the first cache while all places pass over it.
    const int64_t fitting = 24576 / (static_cast<int64_t>(sizeof(T)) * (dimensions + 1));
    chunk = std::max<int64_t>(fitting / tile, 1) * tile;
    chunks = (count + chunk - 1) / chunk;
  }
  const T *group(int64_t number) const { return rows + number * (dimensions + 1) * count; }
};

/// `2^(peak) · sum` is the sum of one chunk of kernels at one place.
template <typename T> struct Partial { T peak, sum; };

template <typename T> INLINE void load(typename Lanes<T>::V &v, const T *from) { std::memcpy(&v, from, sizeof v); }

/// `2^z` for z below 100, relative error about one rounding: 2^n by the bits, 2^f by its Taylor series, |f| ≤ 1/2.
template <typename T> INLINE void powerOfTwo(typename Lanes<T>::V &z) {
  using L = Lanes<T>;
  const typename L::V low = typename L::V{} + L::lowest;
  z = z > low ? z : low;
  constexpr T magic = T(1.5) * (int64_t(1) << L::mantissa);
  const typename L::V shifted = z + magic;
  const typename L::V f = z - (shifted - magic);
  double c[L::degree + 1];
  c[0] = 1;
  for (int k = 1; k <= L::degree; k++) c[k] = c[k - 1] * ln2 / k;
  typename L::V p = typename L::V{} + T(c[L::degree]);
  for (int k = L::degree - 1; k >= 0; k--) p = p * f + T(c[k]);
  typename L::I bits, power;
  std::memcpy(&bits, &shifted, sizeof bits);
  std::memcpy(&power, &p, sizeof p);
  power += bits << L::mantissa;
  std::memcpy(&z, &power, sizeof z);
}

template <typename T> INLINE T total(const typename Lanes<T>::V &v) {
  T a[64 / sizeof(T)];
  std::memcpy(a, &v, sizeof a);
  for (size_t width = 32 / sizeof(T); width > 0; width /= 2)
    for (size_t i = 0; i < width; i++) a[i] += a[i + width];
  return a[0];
}

template <typename T> INLINE T highest(const typename Lanes<T>::V &v) {
  T a[64 / sizeof(T)];
  std::memcpy(a, &v, sizeof a);
  for (size_t width = 32 / sizeof(T); width > 0; width /= 2)
    for (size_t i = 0; i < width; i++) a[i] = a[i] > a[i + width] ? a[i] : a[i + width];
  return a[0];
}

/// Exponents, to the base 2, of one tile of kernels at `places` places, less `‖x‖²/2`.
///
/// - `block`: vectors of kernels whose exponents stay in registers while dimensions are added; divides `together`.
/// - `x`: `[places, dimensions]`, times log₂ e. `axis`: the coordinate that does not count, −1 for none.
template <typename T, int block, int places>
INLINE void exponents(
  const T *tile, int64_t stride, int64_t dimensions, const T *x, int64_t axis,
  typename Lanes<T>::V (&t)[places][together]) {
  static_assert(together % block == 0);
  using V = typename Lanes<T>::V;
  constexpr int lanes = 64 / sizeof(T);
  constexpr T log2e = T(1 / ln2);
  for (int first = 0; first < together; first += block) {
    const T *column = tile + first * lanes;
    V e[places][block];
    for (int u = 0; u < block; u++) {
      V offset;
      load<T>(offset, column + dimensions * stride + u * lanes);
      for (int r = 0; r < places; r++) e[r][u] = offset * log2e;
    }
    // A branch inside of the loop would send the exponents to memory and back.
    const auto add = [&](int64_t from, int64_t to) __attribute__((always_inline)) {
      for (int64_t k = from; k < to; k++) {
        V p[block];
        for (int u = 0; u < block; u++) load<T>(p[u], column + k * stride + u * lanes);
        for (int r = 0; r < places; r++)
          for (int u = 0; u < block; u++) e[r][u] += p[u] * x[r * dimensions + k];
      }
    };
    if (axis < 0) {
      add(0, dimensions);
    } else {
      add(0, axis);
      // The offset holds −p²/2 of this coordinate.
      for (int u = 0; u < block; u++) {
        V p;
        load<T>(p, column + axis * stride + u * lanes);
        for (int r = 0; r < places; r++) e[r][u] += p * (p * (log2e / 2));
      }
      add(axis + 1, dimensions);
    }
    for (int r = 0; r < places; r++)
      for (int u = 0; u < block; u++) t[r][first + u] = e[r][u];
  }
}

/// Room for an unfinished tile, and where the one that it holds comes from: places one after another ask for the same.
template <typename T> struct Rest {
  std::vector<T> values;
  const T *source = nullptr;
};

/// A tile in memory, or a copy of an unfinished last one, filled up with kernels that weigh nothing.
template <typename T> INLINE const T *whole(
  const Kernels<T> &kernels, const T *group, int64_t start, Rest<T> &rest, int64_t &stride) {
  stride = kernels.count;
  if (start + Kernels<T>::tile <= kernels.count) return group + start;
  stride = Kernels<T>::tile;
  if (rest.source == group + start) return rest.values.data();
  const int64_t left = kernels.count - start;
  for (int64_t k = 0; k <= kernels.dimensions; k++) {
    T *row = rest.values.data() + k * Kernels<T>::tile;
    std::memcpy(row, group + k * kernels.count + start, left * sizeof(T));
    std::fill(row + left, row + Kernels<T>::tile, k == kernels.dimensions ? T(-1e30) : T(0));
  }
  rest.source = group + start;
  return rest.values.data();
}

/// Sums of one chunk of kernels at a few places.
///
/// - `excluded`: for each place the number of a kernel that does not count; NULL where all do.
template <typename T, int block, int places>
INLINE void sum(
  const Kernels<T> &kernels, const T *group, int64_t chunk, const T *x, int64_t axis, const int64_t *excluded,
  Rest<T> &rest, Partial<T> *results, int64_t step) {
  using V = typename Lanes<T>::V;
  using I = typename Lanes<T>::I;
  constexpr int lanes = 64 / sizeof(T);
  V peaks[places], sums[places];
  for (int r = 0; r < places; r++) {
    peaks[r] = V{} - std::numeric_limits<T>::max() / 4;
    sums[r] = V{};
  }
  const int64_t end = std::min((chunk + 1) * kernels.chunk, kernels.count);
  for (int64_t start = chunk * kernels.chunk; start < end; start += Kernels<T>::tile) {
    int64_t stride;
    const T *tile = whole(kernels, group, start, rest, stride);
    V t[places][together];
    exponents<T, block, places>(tile, stride, kernels.dimensions, x, axis, t);
    if (excluded) {
      I number;
      for (int lane = 0; lane < lanes; lane++) number[lane] = lane;
      for (int r = 0; r < places; r++)
        for (int u = 0; u < together; u++) {
          const auto place = excluded[r] - start - u * lanes;
          if (place >= 0 && place < lanes) t[r][u] = number == I{} + static_cast<decltype(number[0] + 0)>(place) ? V{} + T(-1e30) : t[r][u];
        }
    }
    for (int r = 0; r < places; r++) {
      V most = t[r][0] > t[r][1] ? t[r][0] : t[r][1];
      const V other = t[r][2] > t[r][3] ? t[r][2] : t[r][3];
      most = most > other ? most : other;
      // Sums may grow to 2^60 times what the peak says before it has to follow.
      if (__builtin_reduce_or(most > peaks[r] + T(60))) {
        const V peak = most > peaks[r] ? most : peaks[r];
        V scale = peaks[r] - peak;
        powerOfTwo<T>(scale);
        sums[r] *= scale;
        peaks[r] = peak;
      }
      for (int u = 0; u < together; u++) {
        V power = t[r][u] - peaks[r];
        powerOfTwo<T>(power);
        sums[r] += power;
      }
    }
  }
  for (int r = 0; r < places; r++) {
    const T peak = highest<T>(peaks[r]);
    V scale = peaks[r] - peak;
    powerOfTwo<T>(scale);
    results[r * step] = {peak, total<T>(sums[r] * scale)};
  }
}

/// What a thread is given: places `begin ..< end` of all groups' places in a row.
template <typename T> struct Task {
  Kernels<T> kernels;
  const T *places;          // [groups, each, dimensions]
  int64_t each, axis;
  const int64_t *excluded;  // [groups, each], or NULL
  const T *uniforms;        // [groups, each], or NULL: then sums are wanted
  T *sums;                  // [groups, each]
  int64_t *choices;         // [groups, each]
};

template <typename T> struct Scratch {
  std::vector<T> x;
  Rest<T> rest;
  std::vector<Partial<T>> partials;
  Scratch(const Task<T> &task, int64_t count)
      : x((count + together) * task.kernels.dimensions), rest{std::vector<T>((task.kernels.dimensions + 1) * Kernels<T>::tile)},
        partials((count + together) * task.kernels.chunks) {}
};

/// The kernel at which the sum of a chunk reaches `share` of itself. Where rounding keeps the sum below it, the last kernel
/// that weighs something: never one that fills up a shorter group.
template <typename T, int block>
INLINE int64_t pick(
  const Kernels<T> &kernels, const T *group, int64_t chunk, const Partial<T> &partial, double share, const T *x,
  int64_t axis, Rest<T> &rest) {
  using V = typename Lanes<T>::V;
  constexpr T nothing = std::numeric_limits<T>::min();  // what powerOfTwo makes of weights that are 0
  double left = share * partial.sum;
  int64_t last = chunk * kernels.chunk;
  const int64_t end = std::min((chunk + 1) * kernels.chunk, kernels.count);
  for (int64_t start = chunk * kernels.chunk; start < end; start += Kernels<T>::tile) {
    int64_t stride;
    const T *tile = whole(kernels, group, start, rest, stride);
    V t[1][together];
    exponents<T, block, 1>(tile, stride, kernels.dimensions, x, axis, t);
    T powers[Kernels<T>::tile];
    double sum = 0;
    for (int u = 0; u < together; u++) {
      V power = t[0][u] - partial.peak;
      powerOfTwo<T>(power);
      sum += total<T>(power);
      std::memcpy(powers + u * Kernels<T>::lanes, &power, sizeof power);
    }
    const int64_t filled = std::min<int64_t>(Kernels<T>::tile, end - start);
    if (sum < left) {
      left -= sum;
      if (sum > 2 * Kernels<T>::tile * nothing)
        for (int64_t i = 0; i < filled; i++)
          if (powers[i] > nothing) last = start + i;
      continue;
    }
    for (int64_t i = 0; i < filled; i++) {
      if (powers[i] <= nothing) continue;
      last = start + i;
      left -= powers[i];
      if (left < 0) return last;
    }
  }
  return last;
}

template <typename T, int block> INLINE void finish(
  const Task<T> &task, int64_t place, const T *group, const T *x, const Partial<T> *partials, Rest<T> &rest) {
  T peak = partials[0].peak;
  for (int64_t c = 1; c < task.kernels.chunks; c++) peak = std::max(peak, partials[c].peak);
  double sum = 0;
  for (int64_t c = 0; c < task.kernels.chunks; c++) sum += partials[c].sum * std::exp2(partials[c].peak - peak);
  if (!task.uniforms) {
    double square = 0;
    for (int64_t k = 0; k < task.kernels.dimensions; k++) square += double(x[k]) * x[k];
    task.sums[place] = static_cast<T>((std::log2(sum) + peak) * ln2 - square * (ln2 * ln2 / 2));
    return;
  }
  double left = task.uniforms[place] * sum;
  // The last chunk that weighs something where rounding leaves more than there is; the chunk of the peak weighs something.
  int64_t chunk = 0;
  double weight = 0;
  for (int64_t c = 0; c < task.kernels.chunks; c++) {
    const double next = partials[c].sum * std::exp2(partials[c].peak - peak);
    if (!(next > 0)) continue;
    if (weight > 0) left -= weight;
    chunk = c;
    weight = next;
    if (left < weight) break;
  }
  const double share = std::min(left / weight, 1.0);
  task.choices[place] =
    pick<T, block>(task.kernels, group, chunk, partials[chunk], share, x, task.axis, rest);
}

template <typename T, int block> INLINE void run(const Task<T> &task, int64_t begin, int64_t end, Scratch<T> &scratch) {
  const int64_t dimensions = task.kernels.dimensions, chunks = task.kernels.chunks;
  while (begin < end) {
    const int64_t number = begin / task.each, count = std::min((number + 1) * task.each, end) - begin;
    const T *group = task.kernels.group(number);
    // Places times log₂ e; the last one again, up to a full block.
    for (int64_t i = 0; i < count + together; i++)
      for (int64_t k = 0; k < dimensions; k++)
        scratch.x[i * dimensions + k] = task.places[(begin + std::min(i, count - 1)) * dimensions + k] * T(1 / ln2);
    for (int64_t chunk = 0; chunk < chunks; chunk++)
      for (int64_t i = 0; i < count; i += together) {
        int64_t excluded[together];
        if (task.excluded)
          for (int r = 0; r < together; r++) excluded[r] = task.excluded[begin + std::min(i + r, count - 1)];
        sum<T, block, together>(
          task.kernels, group, chunk, scratch.x.data() + i * dimensions, task.axis, task.excluded ? excluded : nullptr,
          scratch.rest, scratch.partials.data() + i * chunks + chunk, chunks);
      }
    for (int64_t i = 0; i < count; i++)
      finish<T, block>(
        task, begin + i, group, scratch.x.data() + i * dimensions, scratch.partials.data() + i * chunks,
        scratch.rest);
    begin += count;
  }
}

// The same code for three kinds of processors; which one this is, is asked when it runs. The exponents of a block at four
// places fill 16 of 32 registers with AVX-512, 8 of 16 with AVX2.
#define KIND(name, block, attribute) \
  template <typename T> attribute void name(const Task<T> &task, int64_t begin, int64_t end, Scratch<T> &scratch) { \
    run<T, block>(task, begin, end, scratch); \
  }
KIND(runAnywhere, 1, )
#if defined(__x86_64__)
KIND(runAVX2, 1, __attribute__((target("avx2,fma"))))
KIND(runAVX512, 4, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))))
#endif

template <typename T> auto fastest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    return &runAVX512<T>;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &runAVX2<T>;
#endif
  return &runAnywhere<T>;
}

void check(const at::Tensor &places, const at::Tensor &kernels) {
  TORCH_CHECK(
    places.dim() == 3 && kernels.dim() == 3 && places.size(0) == kernels.size(0) &&
      places.size(2) + 1 == kernels.size(1) && kernels.size(2) > 0,
    "expected places [groups, places, dimensions] and kernels [groups, dimensions + 1, count]");
  TORCH_CHECK(
    places.scalar_type() == kernels.scalar_type() && at::isFloatingType(places.scalar_type()),
    "places and kernels are numbers of different types");
}

bool isFast(const at::Tensor &places, const at::Tensor &kernels) {
  const auto type = places.scalar_type();
  return places.is_cpu() && kernels.is_cpu() && (type == at::kFloat || type == at::kDouble) &&
    !(c10::GradMode::is_enabled() && (places.requires_grad() || kernels.requires_grad()));
}

/// `log w − ‖x − p‖²/2`, `[groups, places, count]`: what the fast way never writes down.
at::Tensor allExponents(const at::Tensor &places, const at::Tensor &kernels, int64_t axis) {
  const auto dimensions = places.size(2);
  auto points = kernels.narrow(1, 0, dimensions);
  auto offsets = kernels.narrow(1, dimensions, 1);
  auto x = places;
  if (axis >= 0) {
    offsets = offsets + points.narrow(1, axis, 1).square() * 0.5;
    auto mask = at::ones({dimensions}, places.options());
    mask[axis] = 0;
    x = places * mask;
  }
  return at::matmul(x, points) + offsets - x.square().sum(2, true) * 0.5;
}

template <typename T>
void runParallel(Task<T> task, int64_t count) {
  const auto kind = fastest<T>();
  const int pieces = bridge::pieces(count, together);
  std::vector<Scratch<T>> scratch;
  for (int piece = 0; piece < pieces; piece++) scratch.emplace_back(task, std::min(count / pieces + 1, task.each));
  parallel(pieces, count, [&](int piece, int64_t begin, int64_t end) { kind(task, begin, end, scratch[piece]); });
}

}  // namespace

ct_tensor cs_kernel_log_sums(ct_tensor places, ct_tensor kernels, ct_tensor excluded) {
  return tensor([&] {
    auto &x = open(places), &k = open(kernels);
    auto left = optional(excluded);
    check(x, k);
    TORCH_CHECK(
      !left.defined() || (left.scalar_type() == at::kLong && left.dim() == 2 && left.numel() == x.size(0) * x.size(1)),
      "the excluded kernels are not whole numbers [groups, places]");
    if (!isFast(x, k)) {
      auto all = allExponents(x, k, -1);
      if (left.defined()) {
        auto none = at::arange(k.size(2), left.options()) == left.unsqueeze(2);
        all = all.masked_fill(none, -std::numeric_limits<double>::infinity());
      }
      return at::logsumexp(all, {2});
    }
    auto from = x.contiguous(), rows = k.contiguous();
    if (left.defined()) left = left.contiguous();
    auto sums = at::empty({x.size(0), x.size(1)}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "kernel log sums", [&] {
      runParallel<scalar_t>(
        {{rows.const_data_ptr<scalar_t>(), x.size(2), k.size(2)}, from.const_data_ptr<scalar_t>(), x.size(1), -1,
         left.defined() ? left.const_data_ptr<int64_t>() : nullptr, nullptr, sums.data_ptr<scalar_t>(), nullptr},
        x.size(0) * x.size(1));
    });
    return sums;
  });
}

ct_tensor cs_kernel_choices(ct_tensor places, ct_tensor kernels, ct_tensor uniforms, int64_t axis) {
  return tensor([&] {
    auto &x = open(places), &k = open(kernels), &u = open(uniforms);
    check(x, k);
    TORCH_CHECK(
      u.scalar_type() == x.scalar_type() && u.dim() == 2 && u.numel() == x.size(0) * x.size(1),
      "the uniform draws are not [groups, places] of the places' type");
    TORCH_CHECK(axis >= -1 && axis < x.size(2), "there is no coordinate ", axis);
    c10::NoGradGuard guard;
    if (!isFast(x, k)) {
      auto reached = at::softmax(allExponents(x, k, axis), 2).cumsum(2) <= u.unsqueeze(2);
      return reached.sum(2).clamp_max(k.size(2) - 1);
    }
    auto from = x.contiguous(), rows = k.contiguous(), draws = u.contiguous();
    auto choices = at::empty({x.size(0), x.size(1)}, x.options().dtype(at::kLong));
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "kernel choices", [&] {
      runParallel<scalar_t>(
        {{rows.const_data_ptr<scalar_t>(), x.size(2), k.size(2)}, from.const_data_ptr<scalar_t>(), x.size(1), axis,
         nullptr, draws.const_data_ptr<scalar_t>(), nullptr, choices.data_ptr<int64_t>()},
        x.size(0) * x.size(1));
    });
    return choices;
  });
}
