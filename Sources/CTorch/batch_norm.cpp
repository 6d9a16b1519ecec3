// Batch normalisation with an optional residual and ReLU, fused.
//
// Composed from libtorch's operations, a training step reads and writes every activation five times more than it must.
// Here rows are positions and columns are channels (channels-last images, or plain matrices), and each direction passes
// over memory twice: once for the sums of each channel, once for the values.
#include "batch_norm.h"

#include "tracing.h"
#include "vectors.h"

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

template <typename S, typename T>
INLINE void addRows(const S *x, const T *shift, T *sum, T *squares, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, x += channels)
    for (int64_t c = 0; c < channels; c++) {
      T centred = value(x[c]) - shift[c];
      sum[c] += centred;
      squares[c] += centred * centred;
    }
}

// y = x scale + offset (+ residual), then max(0, ·).
template <bool relu, bool residual, typename S, typename T>
INLINE void applyRows(
  const S *x, const S *added, const T *scale, const T *offset, S *y, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, x += channels, y += channels) {
    for (int64_t c = 0; c < channels; c++) {
      T sum = value(x[c]) * scale[c] + offset[c];
      if (residual) sum += value(added[c]);
      put(y[c], relu && !(sum > 0) && sum == sum ? T(0) : sum);
    }
    if (residual) added += channels;
  }
}

template <bool relu, typename S, typename T>
INLINE void addSlopes(
  const S *dy, const S *y, const S *x, const T *mean, T *slopes, T *products, int64_t rows, int64_t channels) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels) {
    for (int64_t c = 0; c < channels; c++) {
      // Loaded whatever comes of it, so that the loop has no branch.
      const T given = value(dy[c]);
      const T slope = relu && !(value(y[c]) > 0) ? T(0) : given;
      slopes[c] += slope;
      products[c] += slope * (value(x[c]) - mean[c]);
    }
    if (relu) y += channels;
  }
}

// dx = g a + x b + c per channel; the residual's gradient is g.
template <bool relu, bool residual, typename S, typename T>
INLINE void backwardRows(
  const S *dy, const S *y, const S *x, const T *a, const T *b, const T *c0, S *dx, S *dadded, int64_t rows,
  int64_t channels) {
  for (int64_t row = 0; row < rows; row++, dy += channels, x += channels, dx += channels) {
    for (int64_t c = 0; c < channels; c++) {
      // Loaded whatever comes of it, so that the loop has no branch.
      const T given = value(dy[c]);
      const T slope = relu && !(value(y[c]) > 0) ? T(0) : given;
      put(dx[c], slope * a[c] + value(x[c]) * b[c] + c0[c]);
      if (residual) put(dadded[c], slope);
    }
    if (relu) y += channels;
    if (residual) dadded += channels;
  }
}

// Clones need plain functions, so each kernel is a template that one function per type pulls in.
#define KERNELS(S, T)                                                                                                  \
  WIDEST void normalise(                                                                                               \
    const S *x, const S *added, const T *scale, const T *offset, S *y, bool relu, int64_t rows, int64_t channels) {    \
    if (relu && added) applyRows<true, true>(x, added, scale, offset, y, rows, channels);                              \
    else if (relu) applyRows<true, false>(x, added, scale, offset, y, rows, channels);                                 \
    else if (added) applyRows<false, true>(x, added, scale, offset, y, rows, channels);                                \
    else applyRows<false, false>(x, added, scale, offset, y, rows, channels);                                          \
  }                                                                                                                    \
  WIDEST void slopes(                                                                                                  \
    const S *dy, const S *y, const S *x, const T *a, const T *b, const T *c0, S *dx, S *dadded, int64_t rows,          \
    int64_t channels) {                                                                                                \
    if (y && dadded) backwardRows<true, true>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                         \
    else if (y) backwardRows<true, false>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                             \
    else backwardRows<false, false>(dy, y, x, a, b, c0, dx, dadded, rows, channels);                                   \
  }
KERNELS(float, float)
KERNELS(double, double)
KERNELS(at::BFloat16, float)
#undef KERNELS

}  // namespace

#define SUMS(S, T)                                                                                                     \
  WIDEST void bridge::sumRows(                                                                                         \
    const S *x, const T *shift, T *sum, T *squares, int64_t rows, int64_t channels) {                                  \
    addRows(x, shift, sum, squares, rows, channels);                                                                   \
  }                                                                                                                    \
  WIDEST void bridge::sumSlopes(                                                                                       \
    const S *dy, const S *y, const S *x, const T *mean, T *slopes, T *products, int64_t rows, int64_t channels) {      \
    if (y) addSlopes<true>(dy, y, x, mean, slopes, products, rows, channels);                                          \
    else addSlopes<false>(dy, y, x, mean, slopes, products, rows, channels);                                           \
  }
SUMS(float, float)
SUMS(double, double)
SUMS(at::BFloat16, float)
#undef SUMS

namespace {

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
    dispatch(x.scalar_type(), [&](auto stored, auto computed) {
      using S = decltype(stored);
      using T = decltype(computed);
      const auto channels = shape.channels;
      const S *data = x.const_data_ptr<S>();
      const Statistics<S, T> statistics(x, weight, bias, running_mean, running_var, training, momentum, epsilon);
      std::tie(mean, inverse) = std::tie(statistics.mean, statistics.inverse);
      const S *added = residual.defined() ? residual.const_data_ptr<S>() : nullptr;
      S *out = y.data_ptr<S>();
      parallel(shape.pieces(), shape.rows, [&](int, int64_t begin, int64_t end) {
        const auto start = begin * channels;
        normalise(
          data + start, added ? added + start : nullptr, statistics.scale.data(), statistics.offset.data(),
          out + start, relu, end - begin, channels);
      });
    });
    context->save_for_backward({x, weight, mean, inverse, relu ? y : at::Tensor()});
    context->saved_data["training"] = training;
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  // The same gradients from operations that can be differentiated again.
  static variable_list differentiableBackward(AutogradContext *context, const at::Tensor &dy) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &y = saved[4];
    auto slope = y.defined() ? dy.masked_fill((y.detach() > 0).logical_not(), 0) : dy;
    auto [dx, dweight, dbias] = differentiableSlopes(
      slope, x, saved[1], saved[2], saved[3], context->saved_data["training"].toBool(),
      context->saved_data["epsilon"].toDouble());
    auto dadded = context->saved_data["residual"].toBool() ? slope : at::Tensor();
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
    dispatch(x.scalar_type(), [&](auto stored, auto computed) {
      using S = decltype(stored);
      using T = decltype(computed);
      const auto channels = shape.channels;
      const S *slope = dy.const_data_ptr<S>(), *data = x.const_data_ptr<S>();
      const S *out = y.defined() ? y.const_data_ptr<S>() : nullptr;
      const T *centre = mean.const_data_ptr<T>();
      auto [sums, products] = channelSums<T>(shape, [&](int64_t row, int64_t rows, T *first, T *second) {
        const auto start = row * channels;
        sumSlopes(slope + start, out ? out + start : nullptr, data + start, centre, first, second, rows, channels);
      });
      const Slopes<T> by(sums, products, weight, mean, inverse, static_cast<double>(shape.rows), training);
      std::tie(dweight, dbias) = std::tie(by.weight, by.bias);
      S *din = dx.data_ptr<S>();
      S *dres = dadded.defined() ? dadded.data_ptr<S>() : nullptr;
      parallel(shape.pieces(), shape.rows, [&](int, int64_t begin, int64_t end) {
        const auto start = begin * channels;
        ::slopes(
          slope + start, out ? out + start : nullptr, data + start, by.a.data(), by.b.data(), by.c0.data(),
          din + start, dres ? dres + start : nullptr, end - begin, channels);
      });
    });
    // Without a ReLU the residual's gradient is the one that came in.
    if (hasResidual && !dadded.defined()) dadded = dy;
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), dadded, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

std::array<at::Tensor, 3> bridge::differentiableSlopes(
  const at::Tensor &given, const at::Tensor &input, const at::Tensor &weight, const at::Tensor &mean,
  const at::Tensor &inverse, bool training, double epsilon) {
  const auto slope = wide(given), x = wide(input);
  std::vector<int64_t> axes{0}, perChannel(x.dim(), 1);
  for (int64_t axis = 2; axis < x.dim(); axis++) axes.push_back(axis);
  perChannel[1] = x.size(1);
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
  return {(weight.view(perChannel) * scale * within).to(input.scalar_type()), dweight, dbias};
}

ct_tensor ct_batch_norm(
  ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, ct_tensor residual,
  bool relu, int64_t pool, bool training, double momentum, double epsilon) {
  return tensor([&] {
    auto input = open(x);
    auto added = optional(residual);
    auto pooled = [&](const at::Tensor &values) {
      return pool > 1 ? at::max_pool2d(values, {pool, pool}, {pool, pool}) : values;
    };
    TORCH_CHECK(input.dim() >= 2 && input.size(1) == open(weight).numel(), "expected ", open(weight).numel(), " channels");
    TORCH_CHECK(!added.defined() || added.sizes() == input.sizes(), "the residual has other sizes");
    TORCH_CHECK(
      !training || input.numel() > input.size(1), "a batch of one value per channel has no variance to normalise by");
    const auto type = input.scalar_type(), own = open(weight).scalar_type();
    const bool isHalf = type == at::kBFloat16 && own == at::kFloat;
    if (isHalf && added.defined()) added = added.to(type);
    const bool fused = !isTracing() && input.is_cpu() && (input.dim() == 2 || input.dim() == 4)
      && (isHalf || (type == own && (type == at::kFloat || type == at::kDouble)))
      && (!added.defined() || added.scalar_type() == type);
    if (fused) {
      // Single-channel images count as channels-last as they are; others are brought there once.
      if (!hasRows(input)) input = likeRows(input, input);
      if (added.defined()) added = likeRows(added, input);
      const bool fitsCells = relu && pool == 2 && input.dim() == 4 && input.size(2) >= 2 && input.size(3) >= 2;
      if (fitsCells && !added.defined() && input.size(0) > 0)
        return batchNormMaximum(
          input, open(weight), open(bias), open(running_mean), open(running_var), training, momentum, epsilon);
      auto result = FusedBatchNorm::apply(
        input, open(weight), open(bias), open(running_mean), open(running_var),
        added.defined() ? std::optional(added) : std::nullopt, relu, training, momentum, epsilon);
      return pooled(result);
    }
    auto result = at::batch_norm(
      input, open(weight), open(bias), open(running_mean), open(running_var), training, momentum, epsilon,
      at::globalContext().userEnabledCuDNN());
    if (added.defined()) result = result + added;
    return pooled(relu ? at::relu(result) : result);
  });
}
