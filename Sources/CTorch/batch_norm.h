// What the ways of fusing batch normalisation share: sums over rows of channels, and what follows from them.
#pragma once
#include "bridge.h"
#include "parallel.h"
#include "vectors.h"

#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <cstring>

namespace bridge {

// Values are stored as S and computed with as T: float and double as themselves, half precision in float.

template <typename S>
INLINE S value(S stored) { return stored; }
INLINE float value(at::BFloat16 stored) {
  const uint32_t bits = static_cast<uint32_t>(stored.x) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

template <typename S>
INLINE void put(S &place, S computed) { place = computed; }
/// Rounds to the nearest, ties to even.
INLINE void put(at::BFloat16 &place, float computed) {
  uint32_t bits;
  std::memcpy(&bits, &computed, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  place.x = static_cast<uint16_t>(computed == computed ? rounded : 0x7fc0);
}

/// Calls `body` with a value of the type that a tensor stores, and one of the type to compute in.
template <typename Body>
void dispatch(at::ScalarType type, Body body) {
  switch (type) {
    case at::kFloat: return body(float(), float());
    case at::kDouble: return body(double(), double());
    case at::kBFloat16: return body(at::BFloat16(), float());
    default: TORCH_CHECK(false, "batch normalisation of ", type);
  }
}

// Kernels over rows of channels; a null pointer means absent.
#define SUM_KERNELS(S, T)                                                                                              \
  /* sum += x - shift, squares += (x - shift)². The shift keeps the squares from drowning the variance. */             \
  void sumRows(const S *x, const T *shift, T *sum, T *squares, int64_t rows, int64_t channels);                        \
  /* slopes += g, products += g (x - mean), for g = dy where y > 0, or everywhere without y. */                        \
  void sumSlopes(                                                                                                      \
    const S *dy, const S *y, const S *x, const T *mean, T *slopes, T *products, int64_t rows, int64_t channels);
SUM_KERNELS(float, float)
SUM_KERNELS(double, double)
SUM_KERNELS(at::BFloat16, float)
#undef SUM_KERNELS

/// A tensor as rows of channels.
struct Rows {
  int64_t rows, channels;
  explicit Rows(const at::Tensor &x) : rows(x.numel() / std::max<int64_t>(x.size(1), 1)), channels(x.size(1)) {}
  int pieces() const { return bridge::pieces(rows, std::max<int64_t>(1, 32768 / std::max<int64_t>(channels, 1))); }
};

inline bool hasRows(const at::Tensor &x) {
  return x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

inline at::Tensor likeRows(const at::Tensor &t, const at::Tensor &x) {
  return t.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

template <typename T>
at::Tensor row(const std::vector<double> &values, const at::Tensor &like) {
  auto result = at::empty({static_cast<int64_t>(values.size())}, like.options());
  std::copy(values.begin(), values.end(), result.template data_ptr<T>());
  return result;
}

/// Runs a block function over all rows and returns the two sums of every channel.
template <typename T, typename Block>
std::pair<std::vector<double>, std::vector<double>> channelSums(const Rows &shape, Block block) {
  // Sums run in blocks of this many rows in the values' own type, then in double.
  constexpr int64_t blockRows = 64;
  const auto channels = shape.channels;
  const int pieces = shape.pieces();
  std::vector<double> partial(2 * channels * pieces, 0.0);
  std::vector<T> blocks(2 * channels * pieces);
  parallel(pieces, shape.rows, [&](int piece, int64_t begin, int64_t end) {
    T *sums = blocks.data() + 2 * channels * piece;
    double *totals = partial.data() + 2 * channels * piece;
    for (int64_t row = begin; row < end; row += blockRows) {
      std::fill(sums, sums + 2 * channels, T(0));
      block(row, std::min(blockRows, end - row), sums, sums + channels);
      for (int64_t c = 0; c < 2 * channels; c++) totals[c] += sums[c];
    }
  });
  std::vector<double> first(channels, 0.0), second(channels, 0.0);
  for (int piece = 0; piece < pieces; piece++)
    for (int64_t c = 0; c < channels; c++) {
      first[c] += partial[2 * channels * piece + c];
      second[c] += partial[2 * channels * piece + channels + c];
    }
  return {first, second};
}

/// The means and inverse deviations that a batch is normalised by, and the scales and offsets that come of them.
template <typename S, typename T>
struct Statistics {
  at::Tensor mean, inverse;
  std::vector<T> scale, offset;

  /// In training those of the batch, which moves the running ones; the running ones otherwise.
  Statistics(
    const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const at::Tensor &running_mean,
    const at::Tensor &running_var, bool training, double momentum, double epsilon) {
    const Rows shape(x);
    const auto channels = shape.channels;
    const S *data = x.template const_data_ptr<S>();
    std::vector<double> means(channels), inverses(channels);
    T *runningMean = running_mean.template data_ptr<T>();
    T *runningVar = running_var.template data_ptr<T>();
    if (training) {
      std::vector<T> shift(channels);
      for (int64_t c = 0; c < channels; c++) shift[c] = value(data[c]);
      auto [sums, squares] = channelSums<T>(shape, [&](int64_t row, int64_t rows, T *sum, T *square) {
        sumRows(data + row * channels, shift.data(), sum, square, rows, channels);
      });
      const double count = static_cast<double>(shape.rows);
      for (int64_t c = 0; c < channels; c++) {
        const double shifted = sums[c] / count;
        const double variance = std::max(0.0, squares[c] / count - shifted * shifted);
        means[c] = shifted + shift[c];
        // max(0, NaN) is 0: what is not finite must stay visible.
        inverses[c] = 1 / std::sqrt((std::isfinite(squares[c]) ? variance : squares[c]) + epsilon);
        runningMean[c] += momentum * (means[c] - runningMean[c]);
        runningVar[c] += momentum * (variance * count / std::max(count - 1, 1.0) - runningVar[c]);
      }
    } else {
      for (int64_t c = 0; c < channels; c++) {
        means[c] = runningMean[c];
        inverses[c] = 1 / std::sqrt(static_cast<double>(runningVar[c]) + epsilon);
      }
    }
    mean = row<T>(means, weight);
    inverse = row<T>(inverses, weight);
    scale.resize(channels);
    offset.resize(channels);
    for (int64_t c = 0; c < channels; c++) {
      const double factor = static_cast<double>(weight.template const_data_ptr<T>()[c]) * inverses[c];
      scale[c] = static_cast<T>(factor);
      offset[c] = static_cast<T>(bias.template const_data_ptr<T>()[c] - means[c] * factor);
    }
  }
};

/// The gradient by an input is `g a + x b + c0` for each channel:
/// w σ⁻¹ (g − mean(g) − x̂ mean(g x̂)) in training, w σ⁻¹ g with running statistics.
template <typename T>
struct Slopes {
  std::vector<T> a, b, c0;
  at::Tensor weight, bias;

  /// From the sums of g and of g (x - mean) of each channel, over `count` rows of x.
  Slopes(
    const std::vector<double> &sums, const std::vector<double> &products, const at::Tensor &of, const at::Tensor &mean,
    const at::Tensor &inverse, double count, bool training)
    : a(sums.size()), b(sums.size(), T(0)), c0(sums.size(), T(0)) {
    std::vector<double> weightSlopes(sums.size());
    for (size_t c = 0; c < sums.size(); c++) {
      const double scale = inverse.template const_data_ptr<T>()[c];
      weightSlopes[c] = products[c] * scale;
      const double factor = of.template const_data_ptr<T>()[c] * scale;
      a[c] = static_cast<T>(factor);
      if (training) {
        const double along = factor * scale * weightSlopes[c] / count;
        b[c] = static_cast<T>(-along);
        c0[c] = static_cast<T>(along * mean.template const_data_ptr<T>()[c] - factor * sums[c] / count);
      }
    }
    weight = row<T>(weightSlopes, of);
    bias = row<T>(sums, of);
  }
};

/// The gradients by input, weight and bias, from operations that can be differentiated again. The statistics of a batch are
/// taken from it once more, so that they carry their share of the second derivative; running ones are constants.
///
/// `slope` is the gradient by the normalised values.
std::array<at::Tensor, 3> differentiableSlopes(
  const at::Tensor &slope, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &mean,
  const at::Tensor &inverse, bool training, double epsilon);

/// Batch normalisation of channels-last images, ReLU, then maxima over 2x2 cells.
at::Tensor batchNormMaximum(
  const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const at::Tensor &running_mean,
  const at::Tensor &running_var, bool training, double momentum, double epsilon);

}  // namespace bridge
