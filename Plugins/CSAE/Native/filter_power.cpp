// The power of an image's response to small filters: for each image, the mean square of every response, summed over
// filters. As convolutions from one channel to two, it takes longer than all matrix products of a small autoencoder.
#include "csae_native.h"

#include "bridge.h"
#include "parallel.h"
#include "vectors.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

struct Geometry {
  int64_t images, channels, height, width, filters, size, padding;

  Geometry(const at::Tensor &x, const at::Tensor &kernels, int64_t padding)
      : images(x.size(0)), channels(x.size(1)), height(x.size(2)), width(x.size(3)), filters(kernels.size(0)),
        size(kernels.size(1)), padding(padding) {}

  int64_t paddedWidth() const { return width + 2 * padding; }
  int64_t paddedCount() const { return (height + 2 * padding) * paddedWidth(); }
  int64_t outHeight() const { return height + 2 * padding - size + 1; }
  int64_t outWidth() const { return paddedWidth() - size + 1; }
  int64_t count() const { return channels * outHeight() * outWidth(); }
  /// The distance in memory between the first and the last value under a filter.
  int64_t reach() const { return (size - 1) * (paddedWidth() + 1); }
  int pieces() const { return bridge::pieces(images, 4); }
};

/// Values that are worked on together: planes are walked as one line of them, across the ends of rows.
constexpr int64_t block = 32;

int64_t roundedUp(int64_t count) { return (count + block - 1) / block * block; }

/// A filter's values that are not zero, with where they lie: in the order of memory, or backwards row by row.
template <typename T>
struct Taps {
  std::vector<T> weights;
  std::vector<int64_t> offsets;

  Taps(const Geometry &g, const T *kernel, bool isBackwards) {
    for (int64_t step = 0; step < g.size; step++)
      for (int64_t i = isBackwards ? g.size - 1 - step : step, j = 0; j < g.size; j++) {
        if (kernel[i * g.size + j] == 0) continue;
        weights.push_back(kernel[i * g.size + j]);
        offsets.push_back((isBackwards ? -1 : 1) * (i * g.paddedWidth() + j));
      }
  }
};

/// What one thread works in; made before threads start, where running out of memory can still be told.
template <typename T>
struct Scratch {
  std::vector<T> padded, responses, gradient;

  explicit Scratch(const Geometry &g)
      : padded(roundedUp(g.paddedCount()) + g.reach(), T(0)),
        responses(roundedUp(g.paddedCount()) + g.reach(), T(0)), gradient(roundedUp(g.paddedCount())) {}
};

template <typename T>
void pad(const Geometry &g, const T *plane, T *padded) {
  for (int64_t y = 0; y < g.height; y++)
    std::copy(plane + y * g.width, plane + (y + 1) * g.width, padded + (y + g.padding) * g.paddedWidth() + g.padding);
}

// sums[k] + Σ weights source[offset + k], in this order and rounded each time, whatever the processor.
template <typename T>
INLINE void addTaps(const T *source, const Taps<T> &taps, T *sums) {
#pragma clang fp contract(off)
  for (size_t t = 0; t < taps.weights.size(); t++) {
    const T weight = taps.weights[t];
    const T *values = source + taps.offsets[t];
    for (int64_t k = 0; k < block; k++) sums[k] += weight * values[k];
  }
}

// The sum of the squares of a plane's responses. Those that would lie across the end of a row are no responses: 0.
template <typename T>
INLINE double squares(const T *padded, const Taps<T> &taps, const uint8_t *isResponse, T *responses, int64_t count) {
  T totals[block] = {};
  for (int64_t start = 0; start < count; start += block) {
    T sums[block] = {};
    addTaps(padded + start, taps, sums);
    for (int64_t k = 0; k < block; k++) {
      sums[k] = isResponse[start + k] ? sums[k] : T(0);
      totals[k] += sums[k] * sums[k];
    }
    if (responses) std::copy(sums, sums + block, responses + start);
  }
  double total = 0;
  for (int64_t k = 0; k < block; k++) total += totals[k];
  return total;
}

template <typename T>
INLINE void addTransposed(const T *responses, const Taps<T> &taps, T *gradient, int64_t count) {
  for (int64_t start = 0; start < count; start += block) {
    T sums[block];
    std::copy(gradient + start, gradient + start + block, sums);
    addTaps(responses + start, taps, sums);
    std::copy(sums, sums + block, gradient + start);
  }
}

// Clones need plain functions.
#define KERNELS(T)                                                                                                     \
  WIDEST double squareResponses(                                                                                       \
    const T *padded, const Taps<T> &taps, const uint8_t *isResponse, T *responses, int64_t count) {                    \
    return squares(padded, taps, isResponse, responses, count);                                                        \
  }                                                                                                                    \
  WIDEST void transpose(const T *responses, const Taps<T> &taps, T *gradient, int64_t count) {                         \
    addTransposed(responses, taps, gradient, count);                                                                   \
  }
KERNELS(float)
KERNELS(double)
#undef KERNELS

/// Which places of the padded plane, walked as one line, a filter can stand at.
std::vector<uint8_t> placesOf(const Geometry &g) {
  std::vector<uint8_t> places(roundedUp(g.paddedCount()), 0);
  for (int64_t y = 0; y < g.outHeight(); y++)
    std::fill_n(places.begin() + y * g.paddedWidth(), g.outWidth(), uint8_t(1));
  return places;
}

template <typename T>
std::vector<Taps<T>> tapsOf(const Geometry &g, const T *kernels, bool isBackwards) {
  std::vector<Taps<T>> taps;
  for (int64_t f = 0; f < g.filters; f++) taps.emplace_back(g, kernels + f * g.size * g.size, isBackwards);
  return taps;
}

at::Tensor correlate(const at::Tensor &planes, const at::Tensor &filters, int64_t padding) {
  return at::conv2d(planes, filters, {}, at::IntArrayRef({1, 1}), at::IntArrayRef({padding, padding}));
}

struct FilterPower : torch::autograd::Function<FilterPower> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &kernels, int64_t padding) {
    context->save_for_backward({x, kernels});
    context->saved_data["padding"] = padding;
    const Geometry g(x, kernels, padding);
    auto power = at::empty({g.images}, x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "filter power", [&] {
      using T = scalar_t;
      const T *images = x.const_data_ptr<T>();
      T *result = power.data_ptr<T>();
      const auto filters = tapsOf(g, kernels.const_data_ptr<T>(), /*isBackwards=*/false);
      const auto places = placesOf(g);
      std::vector<Scratch<T>> scratch(g.pieces(), Scratch<T>(g));
      parallel(g.pieces(), g.images, [&](int piece, int64_t begin, int64_t end) {
        auto &padded = scratch[piece].padded;
        for (int64_t n = begin; n < end; n++) {
          double total = 0;
          for (int64_t c = 0; c < g.channels; c++) {
            pad(g, images + (n * g.channels + c) * g.height * g.width, padded.data());
            for (const auto &filter : filters)
              total += squareResponses(padded.data(), filter, places.data(), nullptr, roundedUp(g.paddedCount()));
          }
          result[n] = static_cast<T>(total / g.count());
        }
      });
    });
    return power;
  }

  // The same gradient from operations that can be differentiated again.
  static variable_list differentiableBackward(AutogradContext *context, const at::Tensor &slope) {
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &kernels = saved[1];
    const int64_t padding = context->saved_data["padding"].toInt();
    const Geometry g(x, kernels, padding);
    auto planes = x.reshape({-1, 1, g.height, g.width}), filters = kernels.unsqueeze(1);
    auto gradient = at::conv_transpose2d(
      correlate(planes, filters, padding), filters, {}, at::IntArrayRef({1, 1}), at::IntArrayRef({padding, padding}));
    auto dx = gradient.view(x.sizes()) * (slope * (2 / static_cast<double>(g.count()))).view({-1, 1, 1, 1});
    return {dx, at::Tensor(), at::Tensor()};
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    if (at::GradMode::is_enabled()) return differentiableBackward(context, slopes[0]);
    auto saved = context->get_saved_variables();
    const auto &x = saved[0], &kernels = saved[1];
    const Geometry g(x, kernels, context->saved_data["padding"].toInt());
    auto slope = slopes[0].contiguous();
    auto dx = at::empty(x.sizes(), x.options());
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "filter power", [&] {
      using T = scalar_t;
      const T *images = x.const_data_ptr<T>(), *outer = slope.const_data_ptr<T>();
      T *result = dx.data_ptr<T>();
      const auto filters = tapsOf(g, kernels.const_data_ptr<T>(), /*isBackwards=*/false);
      const auto transposed = tapsOf(g, kernels.const_data_ptr<T>(), /*isBackwards=*/true);
      const auto places = placesOf(g);
      const auto count = roundedUp(g.paddedCount());
      std::vector<Scratch<T>> scratch(g.pieces(), Scratch<T>(g));
      parallel(g.pieces(), g.images, [&](int piece, int64_t begin, int64_t end) {
        auto &[padded, before, gradient] = scratch[piece];
        // Zeros lie before them, for places that the filter has not reached.
        T *responses = before.data() + g.reach();
        for (int64_t n = begin; n < end; n++)
          for (int64_t c = 0; c < g.channels; c++) {
            const auto plane = (n * g.channels + c) * g.height * g.width;
            pad(g, images + plane, padded.data());
            std::fill(gradient.begin(), gradient.end(), T(0));
            for (int64_t f = 0; f < g.filters; f++) {
              squareResponses(padded.data(), filters[f], places.data(), responses, count);
              transpose(responses, transposed[f], gradient.data(), count);
            }
            const T scale = 2 * outer[n] / static_cast<T>(g.count());
            for (int64_t y = 0; y < g.height; y++)
              for (int64_t x = 0; x < g.width; x++)
                result[plane + y * g.width + x] = scale * gradient[(y + g.padding) * g.paddedWidth() + g.padding + x];
          }
      });
    });
    return {dx, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ct_tensor csae_filter_power(ct_tensor x, ct_tensor kernels, int64_t padding) {
  return tensor([&] {
    auto &images = open(x), &filters = open(kernels);
    TORCH_CHECK(
      images.dim() == 4 && filters.dim() == 3 && filters.size(1) == filters.size(2) && filters.size(1) > 0,
      "expected images [batch, channels, height, width] and filters [count, size, size]");
    TORCH_CHECK(images.scalar_type() == filters.scalar_type(), "the filters have another type than the images");
    const Geometry g(images, filters, padding);
    TORCH_CHECK(padding >= 0 && g.outHeight() > 0 && g.outWidth() > 0, "the images are smaller than the filters");
    if (images.is_cpu() && at::isFloatingType(images.scalar_type()) && !filters.requires_grad())
      return FilterPower::apply(images.contiguous(), filters.contiguous(), padding);
    auto responses = correlate(images.flatten(0, 1).unsqueeze(1), filters.unsqueeze(1), padding);
    return responses.square().sum({1, 2, 3}).view({g.images, g.channels}).sum(1) / static_cast<double>(g.count());
  });
}
