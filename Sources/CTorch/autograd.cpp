#include "bridge.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace bridge;

int ct_set_requires_grad(ct_tensor t, bool on) {
  return status([&] { open(t).requires_grad_(on); });
}
bool ct_grad_enabled(void) { return at::GradMode::is_enabled(); }
void ct_set_grad_enabled(bool on) { at::GradMode::set_enabled(on); }

int ct_grad(
  ct_tensor scalar, const ct_tensor *inputs, int count, bool retain_graph, bool create_graph, ct_tensor *gradients) {
  return status([&] {
    auto found = torch::autograd::grad(
      {open(scalar)}, list(inputs, count), {}, retain_graph || create_graph, create_graph, /*allow_unused=*/true);
    for (int i = 0; i < count; i++) gradients[i] = found[i].defined() ? wrap(found[i]) : nullptr;
  });
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The identity on `gradients`, by which they depend on `input` in a way that nobody has said.
struct Underivable : torch::autograd::Function<Underivable> {
  static at::Tensor forward(AutogradContext *, const at::Tensor &, const at::Tensor &gradients) {
    return gradients.clone();
  }
  static variable_list backward(AutogradContext *, const variable_list &) {
    TORCH_CHECK(false, "second derivatives of values whose gradients were given: only first ones are known");
  }
};

struct GivenGradients : torch::autograd::Function<GivenGradients> {
  static at::Tensor forward(
    AutogradContext *context, const at::Tensor &values, const at::Tensor &input, const at::Tensor &gradients) {
    context->save_for_backward({input, gradients});
    return values.clone();
  }
  static variable_list backward(AutogradContext *context, const variable_list &outer) {
    auto saved = context->get_saved_variables();
    auto gradients = saved[1];
    if (at::GradMode::is_enabled()) gradients = Underivable::apply(saved[0], gradients);
    std::vector<int64_t> shape(gradients.dim(), 1);
    shape[0] = -1;
    return {at::Tensor(), outer[0].reshape(shape) * gradients, at::Tensor()};
  }
};

}  // namespace

ct_tensor ct_given_gradients(ct_tensor values, ct_tensor input, ct_tensor gradients) {
  return tensor([&] {
    const auto &x = open(input);
    TORCH_CHECK(
      open(values).dim() == 1 && x.dim() > 0 && open(values).size(0) == x.size(0) &&
        open(gradients).sizes() == x.sizes(),
      "values of sizes ", open(values).sizes(), " and gradients of sizes ", open(gradients).sizes(),
      " for an input of sizes ", x.sizes());
    return GivenGradients::apply(open(values).detach(), x, open(gradients).detach());
  });
}

// The fused steps walk memory, not indices: each gradient must lie as its parameter does.
static std::vector<at::Tensor> laidOutLike(const std::vector<at::Tensor> &parameters, const ct_tensor *gradients) {
  std::vector<at::Tensor> result;
  result.reserve(parameters.size());
  for (size_t i = 0; i < parameters.size(); i++) {
    const auto &parameter = parameters[i];
    auto gradient = open(gradients[i]);
    TORCH_CHECK(
      gradient.sizes() == parameter.sizes(), "a gradient of sizes ", gradient.sizes(), " for a parameter of sizes ",
      parameter.sizes());
    if (gradient.strides() != parameter.strides() || gradient.scalar_type() != parameter.scalar_type())
      gradient = at::empty_like(parameter).copy_(gradient);
    result.push_back(gradient);
  }
  return result;
}

int ct_fused_adam(
  const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *first_moments,
  const ct_tensor *second_moments, const ct_tensor *steps, int count, double rate, double beta1, double beta2,
  double decay, double epsilon, bool decoupled_decay) {
  return status([&] {
    if (count == 0) return;
    at::NoGradGuard guard;
    auto weights = list(parameters, count);
    auto slopes = laidOutLike(weights, gradients);
    auto counters = list(steps, count);
    at::_foreach_add_(counters, 1);
    if (decoupled_decay)
      at::_fused_adamw_(
        weights, slopes, list(first_moments, count), list(second_moments, count), {}, counters, rate, beta1, beta2,
        decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
    else
      at::_fused_adam_(
        weights, slopes, list(first_moments, count), list(second_moments, count), {}, counters, rate, beta1, beta2,
        decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
  });
}

int ct_fused_sgd(
  const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *momenta, int count, double rate,
  double momentum, double decay, bool nesterov, bool first_step) {
  return status([&] {
    if (count == 0) return;
    at::NoGradGuard guard;
    auto weights = list(parameters, count);
    auto slopes = laidOutLike(weights, gradients);
    auto buffers = momentum == 0 ? std::vector<at::Tensor>() : list(momenta, count);
    at::_fused_sgd_(
      weights, slopes, buffers, decay, momentum, rate, /*dampening=*/0, nesterov, /*maximize=*/false, first_step);
  });
}

ct_tensor ct_clip_gradients(const ct_tensor *gradients, int count, double limit) {
  return tensor([&] {
    at::NoGradGuard guard;
    if (count == 0) return at::zeros({}, at::kDouble);
    auto tensors = list(gradients, count);
    auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors, 2))).to(at::kDouble);
    // A norm that is not finite scales nothing: the trainer stops and names it.
    auto factor = at::where(norm.isfinite() & (norm > limit), limit / norm, 1.0);
    // To read the factor would make a step wait for its device; on a CPU it spares a pass over the gradients.
    if (factor.is_cpu() && factor.item<double>() == 1) return norm;
    // Two gradients may share memory, and one may be a stretched view: the handles get new tensors.
    auto scaled = at::_foreach_mul(tensors, factor.to(tensors.front().scalar_type()));
    for (int i = 0; i < count; i++) open(gradients[i]) = scaled[i];
    return norm;
  });
}
