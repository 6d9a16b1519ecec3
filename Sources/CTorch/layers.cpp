#include "bridge.h"

#include "tracing.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <chrono>
#include <limits>

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// Whether this processor multiplies numbers of a type. libtorch goes without the instructions, in ten times what Float32 takes.
bool multiplies(at::ScalarType type) {
#if defined(__x86_64__)
  static const bool hasBFloat16 = __builtin_cpu_supports("avx512bf16");
#else
  constexpr bool hasBFloat16 = true;
#endif
  return !at::isReducedFloatingType(type) || (type == at::kBFloat16 && hasBFloat16);
}

// Runs `body` on the factors of a layer. Halves that the processor does not multiply are widened: their products are exact in
// Float32, where such instructions sum them too, so that the rounded result differs by the order of the sum alone.
template <typename Body>
at::Tensor inFactors(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias, Body body) {
  const auto type = input.scalar_type();
  if (!input.is_cpu() || multiplies(type) || weight.scalar_type() != type) return body(input, weight, bias);
  return body(wide(input), wide(weight), wide(bias)).to(type);
}

// A layer with weights in the precision of this thread.
template <typename Body>
ct_tensor layer(ct_tensor x, ct_tensor weight, ct_tensor bias, Body body) {
  return tensor([&] { return inFactors(narrow(open(x)), narrow(open(weight)), narrow(optional(bias)), body); });
}

// x wᵀ + b, then max(0, ·) where that is wanted: one step of the graph in place of four, which is what small layers wait for.
struct LinearLayer : torch::autograd::Function<LinearLayer> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, bool relu) {
    auto y = at::addmm(bias, x, weight.t());
    if (relu) y.relu_();
    context->save_for_backward({x, weight, relu ? y : at::Tensor()});
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &y = saved[2];
    const auto slope = y.defined() ? at::threshold_backward(slopes[0], y, 0) : slopes[0];
    return {
      context->needs_input_grad(0) ? slope.mm(weight) : at::Tensor(),
      context->needs_input_grad(1) ? slope.t().mm(x) : at::Tensor(),
      context->needs_input_grad(2) ? slope.sum(0) : at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ct_tensor ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, bool relu) {
  return layer(x, weight, bias, [&](const at::Tensor &input, const at::Tensor &matrix, const at::Tensor &offset) {
    const bool recorded = at::GradMode::is_enabled() && (input.requires_grad() || matrix.requires_grad());
    if (!isTracing() && recorded && input.is_cpu() && input.dim() == 2 && matrix.dim() == 2 && offset.defined())
      return LinearLayer::apply(input, matrix, offset, relu);
    auto y = at::linear(input, matrix, offset);
    return relu ? at::relu(y) : y;
  });
}
ct_tensor ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding) {
  return layer(x, weight, bias, [&](const at::Tensor &input, const at::Tensor &kernel, const at::Tensor &offset) {
    // A 1x1 convolution to a channel or two is a dot product over channels, which oneDNN's blocked kernels take ten
    // times as long for, most of it backward.
    if (input.is_cpu() && input.dim() == 4 && input.is_contiguous(at::MemoryFormat::ChannelsLast) && kernel.dim() == 4 &&
        kernel.size(0) <= 4 && kernel.size(1) == input.size(1) && kernel.size(2) == 1 && kernel.size(3) == 1 &&
        stride == 1 && padding == 0)
      return at::linear(input.permute({0, 2, 3, 1}), kernel.flatten(1), offset).permute({0, 3, 1, 2});
    return at::conv2d(input, kernel, offset, {stride, stride}, at::IntArrayRef({padding, padding}));
  });
}

double ct_convolution_seconds(ct_dtype dtype, ct_device where) {
  try {
    const at::NoGradGuard guard;
    const auto type = options(dtype, where);
    const auto images = at::ones({16, 64, 16, 16}, type).contiguous(at::MemoryFormat::ChannelsLast);
    const auto kernel = at::ones({64, 64, 3, 3}, type).contiguous(at::MemoryFormat::ChannelsLast);
    double least = std::numeric_limits<double>::infinity();
    for (int round = 0; round < 6; round++) {
      const auto start = std::chrono::steady_clock::now();
      inFactors(images, kernel, {}, [](const at::Tensor &input, const at::Tensor &kernel, const at::Tensor &) {
        return at::conv2d(input, kernel, {}, {1, 1}, at::IntArrayRef({1, 1}));
      });
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      least = std::min(least, taken.count());
    }
    return least;
  } catch (const std::exception &error) {
    remember(error.what());
    return std::numeric_limits<double>::infinity();
  }
}

namespace {

// A transposed convolution whose bias has its gradient from a sum: oneDNN takes a value at a time for it, longer than for
// the gradients of input and weights together.
struct TransposedConvolution : torch::autograd::Function<TransposedConvolution> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t stride,
    int64_t padding, int64_t outputPadding) {
    context->save_for_backward({x, weight});
    context->saved_data["geometry"] = std::vector<int64_t>{stride, padding, outputPadding};
    return at::conv_transpose2d(
      x, weight, bias, {stride, stride}, {padding, padding}, {outputPadding, outputPadding});
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    const auto saved = context->get_saved_variables();
    const auto geometry = context->saved_data["geometry"].toIntVector();
    const auto pair = [&](int i) { return std::vector<int64_t>(2, geometry[i]); };
    const auto found = at::convolution_backward(
      slopes[0], saved[0], saved[1], std::nullopt, pair(0), pair(1), {1, 1}, /*transposed=*/true, pair(2), /*groups=*/1,
      {context->needs_input_grad(0), context->needs_input_grad(1), false});
    const auto bias = context->needs_input_grad(2) ? slopes[0].sum({0, 2, 3}) : at::Tensor();
    return {std::get<0>(found), std::get<1>(found), bias, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

ct_tensor ct_conv_transpose2d(
  ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t output_padding) {
  return layer(x, weight, bias, [&](const at::Tensor &input, const at::Tensor &kernel, const at::Tensor &offset) {
    if (!isTracing() && input.is_cpu() && input.dim() == 4 && offset.defined() && offset.requires_grad())
      return TransposedConvolution::apply(input, kernel, offset, stride, padding, output_padding);
    return at::conv_transpose2d(
      input, kernel, offset, {stride, stride}, {padding, padding}, {output_padding, output_padding});
  });
}
ct_tensor ct_max_pool2d(ct_tensor x, int64_t size, int64_t stride) {
  return tensor([&] { return at::max_pool2d(open(x), {size, size}, {stride, stride}); });
}
ct_tensor ct_avg_pool2d(ct_tensor x, int64_t size, int64_t stride) {
  return tensor([&] { return at::avg_pool2d(open(x), {size, size}, {stride, stride}); });
}
ct_tensor ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width) {
  return tensor([&] { return at::adaptive_avg_pool2d(open(x), {height, width}); });
}
ct_tensor ct_upsample_nearest2d(ct_tensor x, int64_t factor) {
  return tensor([&] {
    auto &input = open(x);
    return at::upsample_nearest2d(input, {input.size(2) * factor, input.size(3) * factor});
  });
}
ct_tensor ct_upsample_bilinear2d(ct_tensor x, int64_t factor) {
  return tensor([&] {
    auto &input = open(x);
    return at::upsample_bilinear2d(input, {input.size(2) * factor, input.size(3) * factor}, /*align_corners=*/false);
  });
}
ct_tensor ct_softmax(ct_tensor x, int64_t axis) {
  return tensor([&] { return at::softmax(wide(open(x)), axis); });
}
ct_tensor ct_log_softmax(ct_tensor x, int64_t axis) {
  return tensor([&] { return at::log_softmax(wide(open(x)), axis); });
}

// Losses

ct_tensor ct_mse(ct_tensor x, ct_tensor target, int reduction) {
  return tensor([&] {
    TORCH_CHECK(open(x).sizes() == open(target).sizes(), "sizes ", open(x).sizes(), " and ", open(target).sizes());
    return at::mse_loss(wide(open(x)), wide(open(target)), reduction);
  });
}
ct_tensor ct_huber(ct_tensor x, ct_tensor target, double delta, int reduction) {
  return tensor([&] {
    TORCH_CHECK(open(x).sizes() == open(target).sizes(), "sizes ", open(x).sizes(), " and ", open(target).sizes());
    return at::huber_loss(wide(open(x)), wide(open(target)), reduction, delta);
  });
}
ct_tensor ct_bce(ct_tensor x, ct_tensor target, int reduction) {
  return tensor([&] { return at::binary_cross_entropy(wide(open(x)), wide(open(target)), {}, reduction); });
}
ct_tensor ct_cross_entropy(ct_tensor scores, ct_tensor labels, int reduction) {
  // PyTorch leaves out examples labelled -100; here no label is special, so one that no class has is an error.
  constexpr int64_t ignored = -(int64_t(1) << 48);
  return tensor([&] { return at::cross_entropy_loss(wide(open(scores)), open(labels), {}, reduction, ignored); });
}
