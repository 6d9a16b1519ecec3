// Σ log cosh(x̂ − x) of each example, with its gradient: half the square where it is small, the size where it is large.
#include <math.h>
#include <stdint.h>

void log_cosh(
  const double *inputs, const double *reconstruction, int64_t rows, int64_t size, double sharpness, double *losses,
  double *gradients) {
  for (int64_t row = 0; row < rows; row++) {
    losses[row] = 0;
    for (int64_t i = row * size; i < (row + 1) * size; i++) {
      double offset = sharpness * (reconstruction[i] - inputs[i]), far = fabs(offset);
      losses[row] += (far + log1p(exp(-2 * far)) - log(2)) / sharpness;
      gradients[i] = tanh(offset);
    }
  }
}
