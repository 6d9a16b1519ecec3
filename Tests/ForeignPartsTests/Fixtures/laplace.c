// Independent Laplace densities, p(z) = Π exp(−|z_i| / b) / 2b, with their gradient and draws.
#include <math.h>
#include <stdint.h>

void laplace_log_density(
  const double *latents, int64_t rows, int64_t latent, double scale, double *log_densities, double *gradients) {
  for (int64_t row = 0; row < rows; row++) {
    log_densities[row] = -latent * log(2 * scale);
    for (int64_t i = row * latent; i < (row + 1) * latent; i++) {
      log_densities[row] -= fabs(latents[i]) / scale;
      gradients[i] = latents[i] > 0 ? -1 / scale : latents[i] < 0 ? 1 / scale : 0;
    }
  }
}

// SplitMix64: a number in (0, 1).
static double uniform(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return ((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-54;
}

void laplace_draw(double *draws, int64_t count, int64_t latent, uint64_t seed, double scale) {
  for (int64_t i = 0; i < count * latent; i++) draws[i] = scale * (log(uniform(&seed)) - log(uniform(&seed)));
}
