#include "bridge.h"

using namespace bridge;

ct_tensor ct_batch_norm(
  ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, ct_tensor residual,
  bool relu, bool training, double momentum, double epsilon) {
  return tensor([&] {
    auto result = at::batch_norm(
      open(x), open(weight), open(bias), open(running_mean), open(running_var), training, momentum, epsilon,
      at::globalContext().userEnabledCuDNN());
    if (residual) result = result + open(residual);
    return relu ? at::relu(result) : result;
  });
}
