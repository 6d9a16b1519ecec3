// Euclidean distances between the rows of two matrices.
//
// Among few rows libtorch takes a kernel whose gradient has no derivative of its own; here it has one.
#include "bridge.h"

#include <torch/csrc/autograd/custom_function.h>

using namespace bridge;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

constexpr int64_t fewRows = 25;  // as at::cdist decides

struct FewDistances : torch::autograd::Function<FewDistances> {
  static at::Tensor forward(AutogradContext *context, const at::Tensor &a, const at::Tensor &b) {
    auto distances = at::cdist(a, b);
    context->save_for_backward({a, b, distances});
    return distances;
  }

  static variable_list backward(AutogradContext *context, variable_list slopes) {
    auto saved = context->get_saved_variables();
    const auto &a = saved[0], &b = saved[1], &distances = saved[2], &slope = slopes[0];
    if (!at::GradMode::is_enabled())
      return {
        at::_cdist_backward(slope.contiguous(), a, b, 2, distances),
        at::_cdist_backward(slope.mT().contiguous(), b, a, 2, distances.mT().contiguous())};
    // Σ_j g_ij (a_i − b_j) / ‖a_i − b_j‖; 0 where the two rows are equal, as the kernel has it.
    auto offsets = a.unsqueeze(1) - b.unsqueeze(0);
    auto squares = offsets.square().sum(2);
    auto equal = squares.detach() == 0;
    auto factors = slope.masked_fill(equal, 0) * squares.masked_fill(equal, 1).rsqrt();
    auto pulls = offsets * factors.unsqueeze(2);
    return {pulls.sum(1), -pulls.sum(0)};
  }
};

}  // namespace

ct_tensor ct_cdist(ct_tensor a, ct_tensor b) {
  return tensor([&] {
    const auto &left = open(a), &right = open(b);
    if (left.dim() == 2 && right.dim() == 2 && left.size(0) <= fewRows && right.size(0) <= fewRows)
      return FewDistances::apply(left.contiguous(), right.contiguous());
    return at::cdist(left, right);
  });
}
