// Batch normalisation with an optional residual and ReLU, fused.
//
// Composed from libtorch's operations, a training step reads and writes every activation five times more than it must.
// Here rows are positions and columns are channels (channels-last images, or plain matrices), and each direction passes
// over memory twice: once for the sums of each channel, once for the values.
#include "bridge.h"
#include "parallel.h"
#include "tracing.h"
#include "vectors.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// Sums run in blocks of this many rows in the values' own type, then in double.
constexpr int64_t blockRows = 64;

// sum += x - shift, squares += (x - shift)². The shift keeps the squares from drowning the variance.
template <typename T>
INLINE void sumRows(const T *x, const T *shift, T *sum, T *squares, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, x += channels)
    for (int64_t c = 0; c < channels; c++) {
      T centred = x[c] - shift[c];
      sum[c] += centred;
      squares[c] += centred * centred;
    }
}

// y = x scale + offset (+ residual), then max(0, ·).
template <typename T, bool relu, bool residual>
INLINE void applyRows(
  const T *x, const T *added, const T *scale, const T *offset, T *y, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; c++) {
      T value = x[c] * scale[c] + offset[c];
      if (residual) value += added[c];
      y[c] = relu && !(value > 0) && value == value ? T(0) : value;
    }
    if (residual) added += channels;
  }
}

// slopes += g, products += g (x - mean), for g = dy where y > 0.
template <typename T, bool relu>
INLINE void slopeRows(
  const T *dy, const T *y, const T *x, const T *mean, T *slopes, T *products, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels) {
    for (int64_t c = 0; c < channels; c++) {
      T slope = relu && !(y[c] > 0) ? T(0) : dy[c];
      slopes[c] += slope;
      products[c] += slope * (x[c] - mean[c]);
    }
    if (relu) y += channels;
  }
}

// dx = g a + x b + c per channel; the residual's gradient is g.
template <typename T, bool relu, bool residual>
INLINE void backwardRows(
  const T *dy, const T *y, const T *x, const T *a, const T *b, const T *c0, T *dx, T *dadded, int64_t rows,
  int64_t channels) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels, dx += channels) {
    for (int64_t c = 0; c < channels; c++) {
      T slope = relu && !(y[c] > 0) ? T(0) : dy[c];
      dx[c] = slope * a[c] + x[c] * b[c] + c0[c];
      if (residual) dadded[c] = slope;
    }
    if (relu) y += channels;
    if (residual) dadded += channels;
  }
}

// Clones need plain functions, so each kernel is a template that one function per type pulls in. NULL means absent.
#define KERNELS(T)                                                                                                     \
  WIDEST void sums(const T *x, const T *shift, T *sum, T *squares, int64_t rows, int64_t channels) {                   \
    sumRows(x, shift, sum, squares, rows, channels);                                                                   \
  }                                                                                                                    \
  WIDEST void normalise(                                                                                               \
    const T *x, const T *added, const T *scale, const T *offset, T *y, bool relu, int64_t rows, int64_t channels) {    \
    if (relu && added) applyRows<T, true, true>(x, added, scale, offset, y, rows, channels);                           \
    else if (relu) applyRows<T, true, false>(x, added, scale, offset, y, rows, channels);                              \
    else if (added) applyRows<T, false, true>(x, added, scale, offset, y, rows, channels);                             \
    else applyRows<T, false, false>(x, added, scale, offset, y, rows, channels);                                       \
  }                                                                                                                    \
  WIDEST void slopeSums(                                                                                               \
    const T *dy, const T *y, const T *x, const T *mean, T *slopes, T *products, int64_t rows, int64_t channels) {      \
    if (y) slopeRows<T, true>(dy, y, x, mean, slopes, products, rows, channels);                                       \
    else slopeRows<T, false>(dy, y, x, mean, slopes, products, rows, channels);                                        \
  }                                                                                                                    \
  WIDEST void slopes(                                                                                                  \
    const T *dy, const T *y, const T *x, const T *a, const T *b, const T *c0, T *dx, T *dadded, int64_t rows,          \
    int64_t channels) {                                                                                                \
    if (y && dadded) backwardRows<T, true, true>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                      \
    else if (y) backwardRows<T, true, false>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                          \
    else backwardRows<T, false, false>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                                \
  }
KERNELS(float)
KERNELS(double)
#undef KERNELS

// A tensor as rows of channels.
struct Rows {
  int64_t rows, channels;
  explicit Rows(const at::Tensor &x) : rows(x.numel() / std::max<int64_t>(x.size(1), 1)), channels(x.size(1)) {}
  int pieces() const { return bridge::pieces(rows, std::max<int64_t>(1, 32768 / std::max<int64_t>(channels, 1))); }
};

bool hasRows(const at::Tensor &x) {
  return x.dim() == 2 ? x.is_contiguous() : x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor likeRows(const at::Tensor &t, const at::Tensor &x) {
  return t.contiguous(x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
}

template <typename T>
at::Tensor row(const std::vector<double> &values, const at::Tensor &like) {
  auto result = at::empty({static_cast<int64_t>(values.size())}, like.options());
  std::copy(values.begin(), values.end(), result.data_ptr<T>());
  return result;
}

// Runs a block function over all rows and returns the two sums of every channel.
template <typename T, typename Block>
std::pair<std::vector<double>, std::vector<double>> channelSums(const Rows &shape, Block block) {
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

struct FusedBatchNorm : torch::autograd::Function<FusedBatchNorm> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
    const at::Tensor &running_mean, const at::Tensor &running_var, const std::optional<at::Tensor> &given, bool relu,
    bool training, double momentum, double epsilon) {
    // Autograd refuses an undefined tensor among the inputs, so an absent residual is an absent value.
    const auto residual = given.value_or(at::Tensor());
    auto y = at::empty_like(x);
    const Rows shape(x);
    at::Tensor mean, inverse;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch normalisation", [&] {
      using T = scalar_t;
      const auto channels = shape.channels;
      const T *data = x.const_data_ptr<T>();
      std::vector<double> means(channels), inverses(channels);
      T *runningMean = running_mean.data_ptr<T>();
      T *runningVar = running_var.data_ptr<T>();
      if (training) {
        auto [sums, squares] = channelSums<T>(shape, [&](int64_t row, int64_t rows, T *sum, T *square) {
          ::sums(data + row * channels, data, sum, square, rows, channels);
        });
        const double count = static_cast<double>(shape.rows);
        for (int64_t c = 0; c < channels; c++) {
          const double shifted = sums[c] / count;
          const double variance = std::max(0.0, squares[c] / count - shifted * shifted);
          means[c] = shifted + data[c];
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
      mean = row<T>(means, x);
      inverse = row<T>(inverses, x);
      std::vector<T> scale(channels), offset(channels);
      for (int64_t c = 0; c < channels; c++) {
        const double factor = static_cast<double>(weight.const_data_ptr<T>()[c]) * inverses[c];
        scale[c] = static_cast<T>(factor);
        offset[c] = static_cast<T>(bias.const_data_ptr<T>()[c] - means[c] * factor);
      }
      const T *added = residual.defined() ? residual.const_data_ptr<T>() : nullptr;
      T *out = y.data_ptr<T>();
      parallel(shape.pieces(), shape.rows, [&](int, int64_t begin, int64_t end) {
        const auto start = begin * channels;
        normalise(
          data + start, added ? added + start : nullptr, scale.data(), offset.data(), out + start, relu, end - begin,
          channels);
      });
    });
    context->save_for_backward({x, weight, mean, inverse, relu ? y : at::Tensor()});
    context->saved_data["training"] = training;
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  // The same gradients from operations that can be differentiated again. The statistics of a batch are taken from it
  // once more, so that they carry their share of the second derivative; running ones are constants.
  static variable_list differentiableBackward(AutogradContext *context, const at::Tensor &dy) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &y = saved[4];
    const bool training = context->saved_data["training"].toBool();
    const bool hasResidual = context->saved_data["residual"].toBool();
    const double epsilon = context->saved_data["epsilon"].toDouble();
    std::vector<int64_t> axes{0}, perChannel(x.dim(), 1);
    for (int64_t axis = 2; axis < x.dim(); axis++) axes.push_back(axis);
    perChannel[1] = x.size(1);

    auto slope = y.defined() ? dy.masked_fill((y.detach() > 0).logical_not(), 0) : dy;
    auto centre = training ? x.mean(axes, /*keepdim=*/true) : mean.view(perChannel);
    auto scale = training
      ? (x.var(axes, /*unbiased=*/false, /*keepdim=*/true) + epsilon).rsqrt() : inverse.view(perChannel);
    auto normalised = (x - centre) * scale;
    auto dbias = slope.sum(axes), dweight = (slope * normalised).sum(axes);
    auto within = slope;
    if (training) {
      const double count = static_cast<double>(x.numel() / x.size(1));
      within = slope - (dbias.view(perChannel) + normalised * dweight.view(perChannel)) / count;
    }
    auto dx = weight.view(perChannel) * scale * within;
    auto dadded = hasResidual ? slope : at::Tensor();
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), dadded, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    if (at::GradMode::is_enabled()) return differentiableBackward(context, slopes[0]);
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &y = saved[4];
    const bool training = context->saved_data["training"].toBool();
    const bool hasResidual = context->saved_data["residual"].toBool();
    const Rows shape(x);
    auto dy = likeRows(slopes[0], x);
    auto dx = at::empty_like(x);
    auto dadded = hasResidual && y.defined() ? at::empty_like(x) : at::Tensor();
    at::Tensor dweight, dbias;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch normalisation", [&] {
      using T = scalar_t;
      const auto channels = shape.channels;
      const T *slope = dy.const_data_ptr<T>(), *data = x.const_data_ptr<T>();
      const T *out = y.defined() ? y.const_data_ptr<T>() : nullptr;
      const T *centre = mean.const_data_ptr<T>();
      auto [sums, products] = channelSums<T>(shape, [&](int64_t row, int64_t rows, T *first, T *second) {
        const auto start = row * channels;
        slopeSums(slope + start, out ? out + start : nullptr, data + start, centre, first, second, rows, channels);
      });
      // dx = w σ⁻¹ (g − mean(g) − x̂ mean(g x̂)) in training, w σ⁻¹ g with running statistics.
      std::vector<T> a(channels), b(channels, T(0)), c0(channels, T(0));
      std::vector<double> weightSlopes(channels);
      const double count = static_cast<double>(shape.rows);
      for (int64_t c = 0; c < channels; c++) {
        const double scale = inverse.const_data_ptr<T>()[c];
        weightSlopes[c] = products[c] * scale;
        const double factor = weight.const_data_ptr<T>()[c] * scale;
        a[c] = static_cast<T>(factor);
        if (training) {
          const double along = factor * scale * weightSlopes[c] / count;
          b[c] = static_cast<T>(-along);
          c0[c] = static_cast<T>(along * centre[c] - factor * sums[c] / count);
        }
      }
      dweight = row<T>(weightSlopes, x);
      dbias = row<T>(sums, x);
      T *din = dx.data_ptr<T>();
      T *dres = dadded.defined() ? dadded.data_ptr<T>() : nullptr;
      parallel(shape.pieces(), shape.rows, [&](int, int64_t begin, int64_t end) {
        const auto start = begin * channels;
        ::slopes(
          slope + start, out ? out + start : nullptr, data + start, a.data(), b.data(), c0.data(), din + start,
          dres ? dres + start : nullptr, end - begin, channels);
      });
    });
    // Without a ReLU the residual's gradient is the one that came in.
    if (hasResidual && !dadded.defined()) dadded = dy;
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), dadded, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ct_tensor ct_batch_norm(
  ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, ct_tensor residual,
  bool relu, bool training, double momentum, double epsilon) {
  return tensor([&] {
    auto input = open(x);
    auto added = optional(residual);
    TORCH_CHECK(input.dim() >= 2 && input.size(1) == open(weight).numel(), "expected ", open(weight).numel(), " channels");
    TORCH_CHECK(!added.defined() || added.sizes() == input.sizes(), "the residual has other sizes");
    TORCH_CHECK(
      !training || input.numel() > input.size(1), "a batch of one value per channel has no variance to normalise by");
    const bool fused = !isTracing() && input.is_cpu() && (input.dim() == 2 || input.dim() == 4) && input.scalar_type() == open(weight).scalar_type()
      && at::isFloatingType(input.scalar_type()) && (!added.defined() || added.scalar_type() == input.scalar_type());
    if (fused) {
      // Single-channel images count as channels-last as they are; others are brought there once.
      if (!hasRows(input)) input = likeRows(input, input);
      if (added.defined()) added = likeRows(added, input);
      return FusedBatchNorm::apply(
        input, open(weight), open(bias), open(running_mean), open(running_var),
        added.defined() ? std::optional(added) : std::nullopt, relu, training, momentum, epsilon);
    }
    auto result = at::batch_norm(
      input, open(weight), open(bias), open(running_mean), open(running_var), training, momentum, epsilon,
      at::globalContext().userEnabledCuDNN());
    if (added.defined()) result = result + added;
    return relu ? at::relu(result) : result;
  });
}
