#include <stdlib.h>
#include <turbojpeg.h>

#include "creaders.h"
#include "message.h"

static int decode(
    tjhandle handle, const uint8_t *bytes, size_t count, int64_t max_pixels, cr_image *image, char *message) {
  int width = 0, height = 0, subsampling = 0, space = 0;
  if (tjDecompressHeader3(handle, bytes, count, &width, &height, &subsampling, &space)) {
    cr_say(message, tjGetErrorStr2(handle));
    return CR_DAMAGED;
  }
  image->width = width;
  image->height = height;
  if (width <= 0 || height <= 0) {
    cr_say(message, "it has no pixels");
    return CR_DAMAGED;
  }
  if (image->width > max_pixels / image->height) return CR_TOO_LARGE;
  if (space == TJCS_CMYK || space == TJCS_YCCK) {
    cr_say(message, "CMYK");
    return CR_UNSUPPORTED;
  }
  image->channels = space == TJCS_GRAY ? 1 : 3;
  image->pixels = malloc((size_t)image->width * image->height * image->channels);
  if (!image->pixels) return CR_NO_MEMORY;
  // A warning means bytes that are missing or wrong, in whose place the library puts grey.
  int status = tjDecompress2(
      handle, bytes, count, image->pixels, width, width * image->channels, height,
      image->channels == 1 ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (status) {
    cr_say(message, tjGetErrorStr2(handle));
    return CR_DAMAGED;
  }
  return CR_OK;
}

int cr_read_jpeg(const uint8_t *bytes, size_t count, int64_t max_pixels, cr_image *image, char *message) {
  *image = (cr_image){0};
  cr_say(message, "");
  tjhandle handle = tjInitDecompress();
  if (!handle) return CR_NO_MEMORY;
  int status = decode(handle, bytes, count, max_pixels, image, message);
  tjDestroy(handle);
  if (status != CR_OK) cr_free_image(image);
  return status;
}
