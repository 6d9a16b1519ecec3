// Metropolis walks over a density that the caller has: one for each draw, side by side, from training latents on.
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

// Fills the log densities of some rows; not 0 where that failed.
using Density = int (*)(const double *latents, int64_t rows, int64_t latent, double *log_densities, void *context);

extern "C" int walkers_draw(
  double *draws, int64_t count, int64_t latent, const double *references, int64_t reference_count, Density log_density,
  void *context, uint64_t seed, int rehearsal, int64_t steps, double step_size) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::uniform_int_distribution<int64_t> any(0, reference_count - 1);
  // Steps are in units of the spread of the training latents.
  std::vector<double> spread(latent), now(count), then(count), moved(count * latent);
  for (int64_t axis = 0; axis < latent; axis++) {
    double sum = 0, squares = 0;
    for (int64_t row = 0; row < reference_count; row++) {
      double value = references[row * latent + axis];
      sum += value;
      squares += value * value;
    }
    double mean = sum / reference_count;
    spread[axis] = std::sqrt(std::max(squares / reference_count - mean * mean, 1e-6));
  }
  for (int64_t row = 0; row < count; row++) {
    const double *start = references + any(random) * latent;
    for (int64_t axis = 0; axis < latent; axis++) draws[row * latent + axis] = start[axis];
  }
  if (log_density(draws, count, latent, now.data(), context)) return 1;
  for (int64_t step = 0; step < (rehearsal ? 2 : steps); step++) {
    for (int64_t i = 0; i < count * latent; i++) moved[i] = draws[i] + step_size * spread[i % latent] * normal(random);
    if (log_density(moved.data(), count, latent, then.data(), context)) return 1;
    for (int64_t row = 0; row < count; row++) {
      if (std::log(uniform(random)) > then[row] - now[row]) continue;
      now[row] = then[row];
      for (int64_t i = row * latent; i < (row + 1) * latent; i++) draws[i] = moved[i];
    }
  }
  return 0;
}
