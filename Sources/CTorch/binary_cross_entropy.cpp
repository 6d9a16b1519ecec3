// Binary cross entropy of logits, its sum and its gradient in one pass over memory.
//
// libtorch composes it of half a dozen operations, and takes logarithms of probabilities a value at a time.
#include "bridge.h"

#include "parallel.h"
#include "tracing.h"
#include "vectors.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <numeric>

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// exp(t) for t <= 0, to 2 units in the last place; below -87, where a Float ends, what it is there.
INLINE float expOfNegative(float t) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  t = t < -87.0f ? -87.0f : t;
  const float shifted = t * 1.44269504f + magic;
  const float whole = shifted - magic;
  const float r = (t - whole * 0.693359375f) + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const auto exponent = __builtin_bit_cast(uint32_t, shifted) - __builtin_bit_cast(uint32_t, magic);
  return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, p) + (exponent << 23));
}

// log(1 + e) for 0 <= e <= 1, as 2 artanh(e / (2 + e)).
INLINE float logOfOneAnd(float e) {
  const float z = e / (2.0f + e), s = z * z;
  float p = 1.0f / 15;
  p = p * s + 1.0f / 13;
  p = p * s + 1.0f / 11;
  p = p * s + 1.0f / 9;
  p = p * s + 1.0f / 7;
  p = p * s + 1.0f / 5;
  p = p * s + 1.0f / 3;
  return 2.0f * (z + z * s * p);
}

constexpr int lanes = 16;

// Errors max(l, 0) − x l + log(1 + e^−|l|) and slopes sigmoid(l) − x, where they are wanted; returns the errors' sum.
template <bool each, bool derived>
INLINE double pass(const float *logits, const float *targets, float *errors, float *slopes, int64_t count) {
  float sums[lanes] = {};
  const auto one = [&](int64_t i, float &sum) {
    const float l = logits[i], x = targets[i];
    const float e = expOfNegative(l > 0 ? -l : l);
    const float error = (l > 0 ? l : 0.0f) - x * l + logOfOneAnd(e);
    if (each) errors[i] = error;
    if (derived) slopes[i] = (l > 0 ? 1.0f : e) / (1.0f + e) - x + (l - l);
    sum += error;
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int lane = 0; lane < lanes; lane++) one(i + lane, sums[lane]);
  for (int lane = 0; i < count; i++, lane++) one(i, sums[lane]);
  return std::accumulate(sums, sums + lanes, 0.0);
}

WIDEST double errorsOf(const float *logits, const float *targets, float *errors, float *slopes, int64_t count) {
  if (errors && slopes) return pass<true, true>(logits, targets, errors, slopes, count);
  if (errors) return pass<true, false>(logits, targets, errors, slopes, count);
  if (slopes) return pass<false, true>(logits, targets, errors, slopes, count);
  return pass<false, false>(logits, targets, errors, slopes, count);
}

struct BinaryCrossEntropy : torch::autograd::Function<BinaryCrossEntropy> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &logits, const at::Tensor &targets, int64_t reduction) {
    // Sums of blocks, so that the whole does not depend on the number of threads.
    constexpr int64_t block = 4096;
    const int64_t count = logits.numel(), blocks = (count + block - 1) / block;
    auto errors = reduction == at::Reduction::None ? at::empty_like(logits) : at::Tensor();
    auto slopes = logits.requires_grad() ? at::empty_like(logits) : at::Tensor();
    const float *l = logits.const_data_ptr<float>(), *x = targets.const_data_ptr<float>();
    float *e = errors.defined() ? errors.data_ptr<float>() : nullptr;
    float *s = slopes.defined() ? slopes.data_ptr<float>() : nullptr;
    std::vector<double> sums(blocks);
    parallel(pieces(blocks, 2), blocks, [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const auto start = i * block;
        sums[i] =
          errorsOf(l + start, x + start, e ? e + start : e, s ? s + start : s, std::min(block, count - start));
      }
    });
    context->save_for_backward({logits, targets, slopes});
    context->saved_data["share"] = reduction == at::Reduction::Mean ? 1.0 / static_cast<double>(count) : 1.0;
    if (errors.defined()) return errors;
    const auto sum = std::accumulate(sums.begin(), sums.end(), 0.0);
    return at::scalar_tensor(
      reduction == at::Reduction::Mean ? sum / static_cast<double>(count) : sum, logits.options());
  }

  static variable_list backward(AutogradContext *context, variable_list outer) {
    auto saved = context->get_saved_variables();
    // The second derivative is that of operations.
    const auto slopes = at::GradMode::is_enabled() ? saved[0].sigmoid() - saved[1] : saved[2];
    return {slopes * (outer[0] * context->saved_data["share"].toDouble()), at::Tensor(), at::Tensor()};
  }
};

bool isDense(const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous(); }

}  // namespace

ct_tensor ct_bce_with_logits(ct_tensor x, ct_tensor target, int reduction) {
  return tensor([&] {
    const auto logits = wide(open(x)), targets = wide(open(target));
    if (!isTracing() && isDense(logits) && isDense(targets) && logits.sizes() == targets.sizes() &&
        !targets.requires_grad())
      return BinaryCrossEntropy::apply(logits, targets, reduction);
    return at::binary_cross_entropy_with_logits(logits, targets, {}, {}, reduction);
  });
}
