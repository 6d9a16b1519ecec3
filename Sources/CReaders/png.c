#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "creaders.h"
#include "message.h"

typedef struct {
  const uint8_t *bytes;
  size_t count, position;
  char *message;
  png_structp png;
  png_infop info;
  png_bytep *rows;
} reader;

static void fail(png_structp png, png_const_charp text) {
  reader *state = png_get_error_ptr(png);
  cr_say(state->message, text);
  longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  reader *state = png_get_io_ptr(png);
  if (count > state->count - state->position) png_error(png, "it stops before its end");
  memcpy(target, state->bytes + state->position, count);
  state->position += count;
}

/// Every local value lives in `state` or `image`: none is changed between setjmp and longjmp.
static int decode(reader *state, int64_t max_pixels, cr_image *image) {
  if (setjmp(png_jmpbuf(state->png))) return CR_DAMAGED;
  png_set_read_fn(state->png, state, read_bytes);
  png_set_user_limits(state->png, 0x7fffffff, 0x7fffffff);
  png_set_keep_unknown_chunks(state->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_read_info(state->png, state->info);

  image->width = png_get_image_width(state->png, state->info);
  image->height = png_get_image_height(state->png, state->info);
  if (image->width > max_pixels / image->height) return CR_TOO_LARGE;
  // Deflate shrinks at most 1032 times.
  if ((uint64_t)image->height * png_get_rowbytes(state->png, state->info) / 1032 > state->count)
    png_error(state->png, "it is shorter than its header says");

  png_set_expand(state->png);
  png_set_scale_16(state->png);
  png_set_interlace_handling(state->png);
  png_read_update_info(state->png, state->info);
  image->channels = png_get_channels(state->png, state->info);
  size_t row = png_get_rowbytes(state->png, state->info);
  if (row != (size_t)image->width * image->channels) png_error(state->png, "its rows have an unknown layout");
  image->pixels = malloc(row * image->height);
  state->rows = malloc(sizeof(png_bytep) * image->height);
  if (!image->pixels || !state->rows) return CR_NO_MEMORY;
  for (int64_t y = 0; y < image->height; y++) state->rows[y] = image->pixels + row * y;
  png_read_image(state->png, state->rows);
  png_read_end(state->png, NULL);
  return CR_OK;
}

int cr_read_png(const uint8_t *bytes, size_t count, int64_t max_pixels, cr_image *image, char *message) {
  *image = (cr_image){0};
  cr_say(message, "");
  reader state = {.bytes = bytes, .count = count, .message = message};
  state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, fail, ignore);
  if (!state.png) return CR_NO_MEMORY;
  state.info = png_create_info_struct(state.png);
  int status = state.info ? decode(&state, max_pixels, image) : CR_NO_MEMORY;
  png_destroy_read_struct(&state.png, &state.info, NULL);
  free(state.rows);
  if (status != CR_OK) cr_free_image(image);
  return status;
}
