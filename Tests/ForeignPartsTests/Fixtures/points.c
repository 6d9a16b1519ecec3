// A text file with a point and its class in each line: "0.5 1.25 2".
#include <stdint.h>
#include <stdio.h>

int points_size(const char *path, int64_t *count, int64_t *features, int64_t *classes) {
  FILE *file = fopen(path, "r");
  if (!file) return 1;
  double x, y;
  long label;
  for (*count = *classes = 0; fscanf(file, "%lf %lf %ld", &x, &y, &label) == 3; ++*count)
    if (label >= *classes) *classes = label + 1;
  *features = 2;
  return fclose(file);
}

int64_t points_read(const char *path, float *inputs, int64_t *labels, int64_t count) {
  FILE *file = fopen(path, "r");
  if (!file) return -1;
  int64_t row = 0;
  long label;
  for (; row < count && fscanf(file, "%f %f %ld", inputs + 2 * row, inputs + 2 * row + 1, &label) == 3; row++)
    labels[row] = label;
  fclose(file);
  return row;
}
