// The power of an image's response to small filters: for each image, the mean square of every response, summed over
// filters. As convolutions from one channel to two, it takes longer than all matrix products of a small autoencoder.
#include "csae_native.h"

#include "bridge.h"
#include "parallel.h"

#include <torch/csrc/autograd/custom_function.h>

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
  int pieces() const { return bridge::pieces(images, 4); }
};

/// What one thread works in; made before threads start, where running out of memory can still be told.
template <typename T>
struct Scratch {
  std::vector<T> padded, row, gradient;
  explicit Scratch(const Geometry &g) : padded(g.paddedCount(), T(0)), row(g.outWidth()), gradient(g.paddedCount()) {}
};

template <typename T>
void pad(const Geometry &g, const T *plane, T *padded) {
  for (int64_t y = 0; y < g.height; y++)
    std::copy(plane + y * g.width, plane + (y + 1) * g.width, padded + (y + g.padding) * g.paddedWidth() + g.padding);
}

/// One row of the response: the cross-correlation of `size` rows of the padded plane with a kernel.
template <typename T>
void respond(const Geometry &g, const T *padded, const T *kernel, int64_t y, T *row) {
  std::fill(row, row + g.outWidth(), T(0));
  for (int64_t i = 0; i < g.size; i++)
    for (int64_t j = 0; j < g.size; j++) {
      const T tap = kernel[i * g.size + j];
      if (tap == 0) continue;
      const T *source = padded + (y + i) * g.paddedWidth() + j;
      for (int64_t x = 0; x < g.outWidth(); x++) row[x] += tap * source[x];
    }
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
      const T *images = x.const_data_ptr<T>(), *taps = kernels.const_data_ptr<T>();
      T *result = power.data_ptr<T>();
      std::vector<Scratch<T>> scratch(g.pieces(), Scratch<T>(g));
      parallel(g.pieces(), g.images, [&](int piece, int64_t begin, int64_t end) {
        auto &[padded, row, gradient] = scratch[piece];
        for (int64_t n = begin; n < end; n++) {
          double total = 0;
          for (int64_t c = 0; c < g.channels; c++) {
            pad(g, images + (n * g.channels + c) * g.height * g.width, padded.data());
            for (int64_t f = 0; f < g.filters; f++)
              for (int64_t y = 0; y < g.outHeight(); y++) {
                respond(g, padded.data(), taps + f * g.size * g.size, y, row.data());
                T sum = 0;
                for (T value : row) sum += value * value;
                total += sum;
              }
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
      const T *images = x.const_data_ptr<T>(), *taps = kernels.const_data_ptr<T>();
      const T *outer = slope.const_data_ptr<T>();
      T *result = dx.data_ptr<T>();
      std::vector<Scratch<T>> scratch(g.pieces(), Scratch<T>(g));
      parallel(g.pieces(), g.images, [&](int piece, int64_t begin, int64_t end) {
        auto &[padded, row, gradient] = scratch[piece];
        for (int64_t n = begin; n < end; n++)
          for (int64_t c = 0; c < g.channels; c++) {
            const auto plane = (n * g.channels + c) * g.height * g.width;
            pad(g, images + plane, padded.data());
            std::fill(gradient.begin(), gradient.end(), T(0));
            for (int64_t f = 0; f < g.filters; f++) {
              const T *kernel = taps + f * g.size * g.size;
              for (int64_t y = 0; y < g.outHeight(); y++) {
                respond(g, padded.data(), kernel, y, row.data());
                // The transposed filter, over the same rows.
                for (int64_t i = 0; i < g.size; i++)
                  for (int64_t j = 0; j < g.size; j++) {
                    const T tap = kernel[i * g.size + j];
                    if (tap == 0) continue;
                    T *target = gradient.data() + (y + i) * g.paddedWidth() + j;
                    for (int64_t x = 0; x < g.outWidth(); x++) target[x] += tap * row[x];
                  }
              }
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
      images.dim() == 4 && filters.dim() == 3 && filters.size(1) == filters.size(2),
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
