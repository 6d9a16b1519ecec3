#include <math.h>
#include <stdlib.h>

#include "creaders.h"

void cr_free_image(cr_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}

void cr_flatten(cr_image *image, uint8_t background) {
  if (image->channels != 2 && image->channels != 4) return;
  int colours = image->channels - 1;
  int64_t count = image->width * image->height;
  const uint8_t *source = image->pixels;
  uint8_t *target = image->pixels;
  for (int64_t i = 0; i < count; i++) {
    int alpha = source[colours];
    for (int c = 0; c < colours; c++) *target++ = (source[c] * alpha + background * (255 - alpha) + 127) / 255;
    source += image->channels;
  }
  image->channels = colours;
}

void cr_make_grey(cr_image *image) {
  if (image->channels != 3) return;
  int64_t count = image->width * image->height;
  const uint8_t *source = image->pixels;
  for (int64_t i = 0; i < count; i++, source += 3)
    image->pixels[i] = (source[0] * 19595 + source[1] * 38470 + source[2] * 7471 + 0x8000) >> 16;
  image->channels = 1;
}

int cr_orient(cr_image *image, int orientation) {
  if (orientation < 2 || orientation > 8) return CR_OK;
  int64_t width = image->width, height = image->height;
  int is_turned = orientation >= 5;
  uint8_t *pixels = malloc((size_t)width * height * image->channels);
  if (!pixels) return CR_NO_MEMORY;
  int mirrors_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  int mirrors_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  int64_t new_width = is_turned ? height : width, new_height = is_turned ? width : height;
  for (int64_t y = 0; y < new_height; y++)
    for (int64_t x = 0; x < new_width; x++) {
      int64_t from_x = is_turned ? y : x, from_y = is_turned ? x : y;
      if (mirrors_x) from_x = width - 1 - from_x;
      if (mirrors_y) from_y = height - 1 - from_y;
      for (int c = 0; c < image->channels; c++)
        pixels[(y * new_width + x) * image->channels + c] =
            image->pixels[(from_y * width + from_x) * image->channels + c];
    }
  free(image->pixels);
  image->pixels = pixels;
  image->width = new_width;
  image->height = new_height;
  return CR_OK;
}

/// The source pixels of each target pixel along one axis: `first[i]` and `count` weights from `weights + i * count`.
typedef struct {
  int64_t count;
  int64_t *first;
  float *weights;
} axis_weights;

static void free_axis(axis_weights *axis) {
  free(axis->first);
  free(axis->weights);
}

static int make_axis(axis_weights *axis, int64_t from, int64_t to) {
  double step = (double)from / to;
  axis->count = from > to ? (int64_t)ceil(step) + 1 : 2;
  if (axis->count > from) axis->count = from;
  axis->first = malloc(sizeof(int64_t) * to);
  axis->weights = calloc(axis->count * to, sizeof(float));
  if (!axis->first || !axis->weights) return 0;
  for (int64_t i = 0; i < to; i++) {
    float *weights = axis->weights + i * axis->count;
    double start = from > to ? i * step : (i + 0.5) * step - 0.5;
    int64_t first = (int64_t)floor(start);
    if (first > from - axis->count) first = from - axis->count;
    if (first < 0) first = 0;
    axis->first[i] = first;
    for (int64_t k = 0; k < axis->count; k++) {
      double weight;
      if (from > to) {
        double begin = fmax(start, (double)(first + k)), end = fmin(start + step, (double)(first + k + 1));
        weight = fmax(0, end - begin) / step;
      } else {
        double place = fmin(fmax(start, 0), (double)(from - 1));
        weight = fmax(0, 1 - fabs(place - (double)(first + k)));
      }
      weights[k] = (float)weight;
    }
  }
  return 1;
}

int cr_resize(
    const cr_image *image, int64_t left, int64_t top, int64_t part_width, int64_t part_height, int64_t width,
    int64_t height, uint8_t *result) {
  int channels = image->channels;
  axis_weights across = {0}, down = {0};
  // Rows of the part, already narrowed.
  float *rows = malloc(sizeof(float) * part_height * width * channels);
  int is_ready = rows && make_axis(&across, part_width, width) && make_axis(&down, part_height, height);
  if (is_ready) {
    for (int64_t y = 0; y < part_height; y++) {
      const uint8_t *source = image->pixels + ((top + y) * image->width + left) * channels;
      float *target = rows + y * width * channels;
      for (int64_t x = 0; x < width; x++) {
        const uint8_t *pixel = source + across.first[x] * channels;
        const float *weights = across.weights + x * across.count;
        for (int c = 0; c < channels; c++) {
          float sum = 0;
          for (int64_t k = 0; k < across.count; k++) sum += weights[k] * pixel[k * channels + c];
          *target++ = sum;
        }
      }
    }
    int64_t row = width * channels;
    for (int64_t y = 0; y < height; y++) {
      const float *source = rows + down.first[y] * row;
      const float *weights = down.weights + y * down.count;
      for (int64_t x = 0; x < row; x++) {
        float sum = 0;
        for (int64_t k = 0; k < down.count; k++) sum += weights[k] * source[k * row + x];
        *result++ = sum >= 254.5f ? 255 : (uint8_t)(sum + 0.5f);
      }
    }
  }
  free_axis(&across);
  free_axis(&down);
  free(rows);
  return is_ready ? CR_OK : CR_NO_MEMORY;
}
