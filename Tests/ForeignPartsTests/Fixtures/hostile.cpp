// Functions that do what their manifest does not say, for the tests.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

extern "C" {

void setup_throws() { throw std::runtime_error("no licence"); }
void setup_exits() { std::exit(0); }
void setup_faults() { *static_cast<volatile int *>(nullptr) = 1; }
int fails(const double *, int64_t, double *) { return 3; }
int throws(const double *, int64_t, double *) { throw std::runtime_error("out of luck"); }
int throws_number(const double *, int64_t, double *) { throw 7; }
int writes_nothing(const double *, int64_t, double *) { return 0; }
int writes_too_much(const double *, int64_t rows, double *log_densities) {
  for (int64_t row = 0; row <= rows; row++) log_densities[row] = 0;
  return 0;
}
int writes_before(const double *, int64_t rows, double *log_densities) {
  for (int64_t row = -1; row < rows; row++) log_densities[row] = 0;
  return 0;
}
double crashes(const double *) { std::abort(); }
double exits(const double *) { std::exit(0); }
double exits_in_thread(const double *) {
  std::thread([] { std::exit(0); }).join();
  return 0;
}
double faults(const double *latents) {
  return *(latents == nullptr ? latents : static_cast<const volatile double *>(nullptr));
}
double faults_in_thread(const double *latents) {
  std::thread([=] { faults(latents); }).join();
  return 0;
}
double divides(const double *) {
  volatile int seven = 7, zero = 0;
  return seven / zero;
}
double recurs(const double *latents) {
  volatile double much[1000] = {latents[0]};
  return latents[0] > 1e300 ? much[0] : recurs(latents) + much[1];
}
double not_a_number(const double *) { return std::nan(""); }
double negative(double) { return -0.25; }

// The uniform density over [0, 1], of one number.
double box(double value) { return value >= 0 && value <= 1; }
// In single precision, of one row: −‖z‖²/2.
float single(const float *latents, int32_t latent) {
  float sum = 0;
  for (int32_t i = 0; i < latent; i++) sum -= latents[i] * latents[i] / 2;
  return sum;
}
// A unit Gaussian at (3 y, 0, …) for the class y, without a gradient.
void of_class(
  const double *latents, const int32_t *labels, int rows, int latent, double *log_densities) {
  for (int row = 0; row < rows; row++) {
    log_densities[row] = -latent * std::log(2 * std::acos(-1.0)) / 2;
    for (int i = 0; i < latent; i++) {
      double offset = latents[row * latent + i] - (i ? 0 : 3 * labels[row]);
      log_densities[row] -= offset * offset / 2;
    }
  }
}
// The sum of all that it is given, as a density of one number.
double sums(double value, int8_t a, uint8_t b, int16_t c, uint16_t d, int32_t e, uint32_t f, int64_t g, uint64_t h, float i,
  bool j, const char *text) {
  int64_t length = 0;
  while (text[length]) length++;
  return value + a + b + c + d + e + f + g + h + i + j + length;
}

using Density = double (*)(const double *latents, double *gradient, void *context);
using Rows = int (*)(const double *latents, int64_t rows, int64_t latent, double *log_densities, void *context);

// One step uphill from 0, along the gradient.
int64_t climbs(double *draws, int64_t count, int64_t latent, uint64_t, Density density, void *context) {
  for (int64_t row = 0; row < count; row++) {
    double *draw = draws + row * latent, gradient[64];
    for (int64_t i = 0; i < latent; i++) draw[i] = 0;
    density(draw, gradient, context);
    for (int64_t i = 0; i < latent; i++) draw[i] = gradient[i];
  }
  return count;
}
int64_t draws_fewer(double *draws, int64_t count, int64_t latent, uint64_t) {
  for (int64_t i = 0; i < (count - 1) * latent; i++) draws[i] = 0;
  return count;
}
int64_t says_fewer(double *draws, int64_t count, int64_t latent, uint64_t) {
  for (int64_t i = 0; i < count * latent; i++) draws[i] = 0;
  return count - 1;
}
int64_t draws_infinity(double *draws, int64_t count, int64_t latent, uint64_t) {
  for (int64_t i = 0; i < count * latent; i++) draws[i] = std::numeric_limits<double>::infinity();
  return count;
}
// Asks for the density of what is in `mode`: 0 a null pointer, 1 a number of rows below 0, 2 another latent size,
// 3 nowhere to write, 4 rows as they should be. Goes on as if nothing had happened.
int64_t asks(double *draws, int64_t count, int64_t latent, uint64_t, Rows density, void *context, int mode) {
  double value = 0;
  for (int64_t i = 0; i < count * latent; i++) draws[i] = 0;
  for (int times = 0; times < 3; times++)
    density(
      mode == 0 ? nullptr : draws, mode == 1 ? -1 : 1, mode == 2 ? latent + 1 : latent, mode == 3 ? nullptr : &value,
      context);
  return count;
}

// The log density of (1, 0), (2, 0), … in each draw, asked for by a thread for each.
int64_t draws_in_threads(double *draws, int64_t count, int64_t latent, uint64_t, Rows density, void *context) {
  std::vector<std::thread> threads;
  for (int64_t row = 0; row < count; row++)
    threads.emplace_back([=] {
      double point[64] = {}, value = 0;
      point[0] = static_cast<double>(row + 1);
      density(point, 1, latent, &value, context);
      for (int64_t i = 0; i < latent; i++) draws[row * latent + i] = value;
    });
  for (auto &thread : threads) thread.join();
  return count;
}

void nan_loss(const double *, int64_t rows, int64_t latent, double *losses, double *gradients) {
  for (int64_t row = 0; row < rows; row++) losses[row] = std::nan("");
  for (int64_t i = 0; i < rows * latent; i++) gradients[i] = 0;
}
// Σ over the class's latent, Float32 throughout, one example at a time.
float class_latent(const float *latents, const int64_t *labels, float *gradients, int latent) {
  for (int i = 0; i < latent; i++) gradients[i] = i == labels[0] % latent;
  return latents[labels[0] % latent];
}

// Σ log cosh(x̂ − x) in Float32, with its gradient times a factor: 1 is right.
void log_cosh_single(
  const float *inputs, const float *reconstruction, int64_t rows, int64_t size, double factor, float *losses,
  float *gradients) {
  for (int64_t row = 0; row < rows; row++) {
    losses[row] = 0;
    for (int64_t i = row * size; i < (row + 1) * size; i++) {
      const float offset = reconstruction[i] - inputs[i], far = std::fabs(offset);
      losses[row] += far + std::log1p(std::exp(-2 * far)) - std::log(2.0f);
      gradients[i] = static_cast<float>(factor) * std::tanh(offset);
    }
  }
}
int64_t fails_to_draw(double *, int64_t, int64_t, uint64_t) { throw std::runtime_error("no step size will do"); }

void huge_size(int64_t *count, int64_t *features) { *count = *features = int64_t(1) << 40; }
void no_size(int64_t *count, int64_t *) { *count = 4; }
void image_size(int64_t *count, int64_t *channels, int64_t *height, int64_t *width, int32_t *classes) {
  *count = 12, *channels = 1, *height = 3, *width = 2, *classes = 3;
}
void image_read(uint8_t *inputs, int32_t *labels, int64_t count, uint32_t seed, int wrong) {
  for (int64_t i = 0; i < count * 6; i++) inputs[i] = static_cast<uint8_t>(i + seed);
  for (int64_t i = 0; i < count; i++) labels[i] = static_cast<int32_t>(wrong ? 5 : i % 3);
}
int no_read(float *, int64_t) { return 0; }
}
