// Batch normalisation, ReLU and 2x2 maxima in one pass each way, of channels-last images.
//
// Apart, the three write and read whole images ten times in a step. Here the forward pass writes a quarter of the image, with
// the input that each maximum came from; the backward pass sums over those quarters and reads the input once.
#include "batch_norm.h"
#include "vectors.h"

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// The first of the largest of four normalised values, as max_pool2d chooses, after a ReLU; and the input that it came from.
template <typename S, typename T>
INLINE void poolCells(
  const S *upper, const S *lower, const T *scale, const T *offset, S *y, S *chosen, int64_t cells, int64_t channels) {
  for (int64_t cell = 0; cell < cells; cell++) {
    const S *x[4] = {upper, upper + channels, lower, lower + channels};
    for (int64_t c = 0; c < channels; c++) {
      T from = value(x[0][c]), best = from * scale[c] + offset[c];
      for (int place = 1; place < 4; place++) {
        const T other = value(x[place][c]), normalised = other * scale[c] + offset[c];
        const bool isBetter = normalised > best || normalised != normalised;
        best = isBetter ? normalised : best;
        from = isBetter ? other : from;
      }
      put(y[c], !(best > 0) && best == best ? T(0) : best);
      put(chosen[c], from);
    }
    upper += 2 * channels, lower += 2 * channels, y += channels, chosen += channels;
  }
}

// dx = g a + x b + c, where g is dy at the first place of a cell whose input was chosen, if y > 0, and 0 elsewhere.
template <typename S, typename T>
INLINE void spreadCells(
  const S *upper, const S *lower, const S *dy, const S *y, const S *chosen, const T *a, const T *b, const T *c0,
  S *dupper, S *dlower, int64_t cells, int64_t channels) {
  for (int64_t cell = 0; cell < cells; cell++) {
    const S *x[4] = {upper, upper + channels, lower, lower + channels};
    S *dx[4] = {dupper, dupper + channels, dlower, dlower + channels};
    for (int64_t c = 0; c < channels; c++) {
      const T given = value(dy[c]) * a[c];
      T left = value(y[c]) > 0 ? given : T(0);
      const T from = value(chosen[c]);
      for (int place = 0; place < 4; place++) {
        const T here = value(x[place][c]);
        const bool isHit = here == from;
        put(dx[place][c], (isHit ? left : T(0)) + here * b[c] + c0[c]);
        left = isHit ? T(0) : left;
      }
    }
    upper += 2 * channels, lower += 2 * channels, dupper += 2 * channels, dlower += 2 * channels;
    dy += channels, y += channels, chosen += channels;
  }
}

// What lies outside of every cell has no gradient of its own.
template <typename S, typename T>
INLINE void spreadRest(const S *x, const T *b, const T *c0, S *dx, int64_t pixels, int64_t channels) {
  for (int64_t pixel = 0; pixel < pixels; pixel++, x += channels, dx += channels)
    for (int64_t c = 0; c < channels; c++) put(dx[c], value(x[c]) * b[c] + c0[c]);
}

// A number of channels that the compiler knows makes loops of whole vectors.
#define KERNELS(S, T)                                                                                                  \
  WIDEST void maxima(                                                                                                  \
    const S *upper, const S *lower, const T *scale, const T *offset, S *y, S *chosen, int64_t cells,                   \
    int64_t channels) {                                                                                                \
    if (channels == 16) poolCells(upper, lower, scale, offset, y, chosen, cells, 16);                                  \
    else if (channels == 32) poolCells(upper, lower, scale, offset, y, chosen, cells, 32);                             \
    else poolCells(upper, lower, scale, offset, y, chosen, cells, channels);                                           \
  }                                                                                                                    \
  WIDEST void spread(                                                                                                  \
    const S *upper, const S *lower, const S *dy, const S *y, const S *chosen, const T *a, const T *b, const T *c0,     \
    S *dupper, S *dlower, int64_t cells, int64_t channels) {                                                           \
    if (channels == 16) spreadCells(upper, lower, dy, y, chosen, a, b, c0, dupper, dlower, cells, 16);                 \
    else if (channels == 32) spreadCells(upper, lower, dy, y, chosen, a, b, c0, dupper, dlower, cells, 32);            \
    else spreadCells(upper, lower, dy, y, chosen, a, b, c0, dupper, dlower, cells, channels);                          \
  }                                                                                                                    \
  WIDEST void rest(const S *x, const T *b, const T *c0, S *dx, int64_t pixels, int64_t channels) {                     \
    spreadRest(x, b, c0, dx, pixels, channels);                                                                        \
  }
KERNELS(float, float)
KERNELS(double, double)
KERNELS(at::BFloat16, float)
#undef KERNELS

// Images as rows of cells: two rows of pixels each, and one alone where the height is odd.
struct Cells {
  int64_t height, width, channels, count;
  explicit Cells(const at::Tensor &x)
    : height(x.size(2)), width(x.size(3)), channels(x.size(1)), count(x.size(0) * ((height + 1) / 2)) {}
  int64_t perRow() const { return width / 2; }
  int pieces() const { return bridge::pieces(count, std::max<int64_t>(1, 16384 / std::max<int64_t>(width * channels, 1))); }

  struct Place {
    int64_t pixels, cells;  // Offsets of the first value, in the image and among the maxima.
    bool isWhole;
  };
  Place place(int64_t row) const {
    const int64_t perImage = (height + 1) / 2, image = row / perImage, at = row % perImage;
    return {
      (image * height + 2 * at) * width * channels, (image * (height / 2) + at) * perRow() * channels,
      2 * at + 1 < height};
  }
};

// dx of all pixels.
template <typename S, typename T>
void spreadAll(
  const at::Tensor &x, const S *dy, const S *y, const S *chosen, const T *a, const T *b, const T *c0,
  const at::Tensor &dx) {
  const Cells cells(x);
  const auto channels = cells.channels, line = cells.width * channels, inCells = 2 * cells.perRow() * channels;
  const S *in = x.const_data_ptr<S>();
  S *out = dx.data_ptr<S>();
  parallel(cells.pieces(), cells.count, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const auto place = cells.place(row);
      const S *upper = in + place.pixels;
      S *dupper = out + place.pixels;
      if (!place.isWhole) {
        rest(upper, b, c0, dupper, cells.width, channels);
        continue;
      }
      spread(
        upper, upper + line, dy + place.cells, y + place.cells, chosen + place.cells, a, b, c0, dupper, dupper + line,
        cells.perRow(), channels);
      if (inCells == line) continue;
      rest(upper + inCells, b, c0, dupper + inCells, 1, channels);
      rest(upper + line + inCells, b, c0, dupper + line + inCells, 1, channels);
    }
  });
}

struct NormMaximum : torch::autograd::Function<NormMaximum> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
    const at::Tensor &running_mean, const at::Tensor &running_var, bool training, double momentum, double epsilon) {
    const Cells cells(x);
    auto y = at::empty(
      {x.size(0), x.size(1), cells.height / 2, cells.width / 2}, x.options(), at::MemoryFormat::ChannelsLast);
    auto chosen = at::empty_like(y);
    at::Tensor mean, inverse;
    dispatch(x.scalar_type(), [&](auto stored, auto computed) {
      using S = decltype(stored);
      using T = decltype(computed);
      const Statistics<S, T> statistics(x, weight, bias, running_mean, running_var, training, momentum, epsilon);
      std::tie(mean, inverse) = std::tie(statistics.mean, statistics.inverse);
      const S *in = x.const_data_ptr<S>();
      S *out = y.data_ptr<S>(), *from = chosen.data_ptr<S>();
      parallel(cells.pieces(), cells.count, [&](int, int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
          const auto place = cells.place(row);
          if (!place.isWhole) continue;
          const S *upper = in + place.pixels;
          maxima(
            upper, upper + cells.width * cells.channels, statistics.scale.data(), statistics.offset.data(),
            out + place.cells, from + place.cells, cells.perRow(), cells.channels);
        }
      });
    });
    context->save_for_backward({x, weight, mean, inverse, y, chosen});
    context->saved_data["training"] = training;
    context->saved_data["epsilon"] = epsilon;
    return y;
  }

  // The same gradients from operations that can be differentiated again; which values are the maxima is constant.
  static variable_list differentiableBackward(AutogradContext *context, const at::Tensor &dy) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &y = saved[4], &chosen = saved[5];
    auto places = at::empty_like(x);
    dispatch(x.scalar_type(), [&](auto stored, auto computed) {
      using S = decltype(stored);
      using T = decltype(computed);
      const std::vector<T> ones(x.size(1), T(1)), zeros(x.size(1), T(0));
      auto one = at::ones_like(y);
      spreadAll(
        x.detach(), one.const_data_ptr<S>(), y.const_data_ptr<S>(), chosen.const_data_ptr<S>(), ones.data(),
        zeros.data(), zeros.data(), places);
    });
    auto whole = at::constant_pad_nd(
      dy.repeat_interleave(2, 2).repeat_interleave(2, 3), {0, x.size(3) % 2, 0, x.size(2) % 2});
    auto [dx, dweight, dbias] = differentiableSlopes(
      whole * places, x, saved[1], saved[2], saved[3], context->saved_data["training"].toBool(),
      context->saved_data["epsilon"].toDouble());
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    if (at::GradMode::is_enabled()) return differentiableBackward(context, slopes[0]);
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3], &y = saved[4],
               &chosen = saved[5];
    auto dy = likeRows(slopes[0], x);
    auto dx = at::empty_like(x);
    at::Tensor dweight, dbias;
    dispatch(x.scalar_type(), [&](auto stored, auto computed) {
      using S = decltype(stored);
      using T = decltype(computed);
      const S *slope = dy.const_data_ptr<S>(), *out = y.const_data_ptr<S>(), *from = chosen.const_data_ptr<S>();
      const T *centre = mean.const_data_ptr<T>();
      const Rows shape(y);
      auto [sums, products] = channelSums<T>(shape, [&](int64_t row, int64_t rows, T *first, T *second) {
        const auto start = row * shape.channels;
        sumSlopes(slope + start, out + start, from + start, centre, first, second, rows, shape.channels);
      });
      const auto count = static_cast<double>(Rows(x).rows);
      const Slopes<T> by(sums, products, weight, mean, inverse, count, context->saved_data["training"].toBool());
      std::tie(dweight, dbias) = std::tie(by.weight, by.bias);
      spreadAll(x, slope, out, from, by.a.data(), by.b.data(), by.c0.data(), dx);
    });
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor bridge::batchNormMaximum(
  const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, const at::Tensor &running_mean,
  const at::Tensor &running_var, bool training, double momentum, double epsilon) {
  return NormMaximum::apply(x, weight, bias, running_mean, running_var, training, momentum, epsilon);
}
