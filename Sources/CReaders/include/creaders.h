// Pictures and MAT files through libpng, TurboJPEG and libmatio, whose errors end here: nothing jumps out of a function.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  CR_OK = 0,
  CR_DAMAGED = 1,
  /// More pixels, or more bytes, than the limit; nothing was decoded.
  CR_TOO_LARGE = 2,
  CR_UNSUPPORTED = 3,
  CR_NO_MEMORY = 4,
  /// There is no variable of that name.
  CR_ABSENT = 5,
};

/// The length of a message with its final zero.
enum { CR_MESSAGE_LENGTH = 160 };

/// Rows from the top, 8 bits a value. Channels: 1 grey, 2 grey and alpha, 3 red, green, blue, 4 with alpha.
typedef struct {
  int64_t width, height;
  int32_t channels;
  uint8_t *pixels;
} cr_image;

/// Decodes a picture of at most `max_pixels`. Width and height are set whenever the header could be read. Values of 16
/// bits are scaled to 8, palettes and fewer bits are expanded; gamma and colour profiles are not applied.
int cr_read_png(const uint8_t *bytes, size_t count, int64_t max_pixels, cr_image *image, char *message);
int cr_read_jpeg(const uint8_t *bytes, size_t count, int64_t max_pixels, cr_image *image, char *message);
void cr_free_image(cr_image *image);

/// Lays a picture with alpha over a background of one grey level: 2 channels become 1, and 4 become 3.
void cr_flatten(cr_image *image, uint8_t background);
/// Turns 3 channels into 1: luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded.
void cr_make_grey(cr_image *image);
/// Mirrors and turns a picture as its EXIF orientation, 1 to 8, asks for. CR_NO_MEMORY leaves it as it is.
int cr_orient(cr_image *image, int orientation);

/// Resizes a part of a picture. Along each axis that shrinks, a value is the mean of the area that it covers; along one
/// that grows, it is interpolated linearly between the centres of pixels. `result` holds `height * width * channels`.
int cr_resize(
    const cr_image *image, int64_t left, int64_t top, int64_t part_width, int64_t part_height, int64_t width,
    int64_t height, uint8_t *result);

/// A matrix of numbers, column by column. `kind` is 'u', 'i' or 'f', and `size` the bytes of a value.
typedef struct {
  int64_t rows, columns;
  char kind;
  int32_t size;
  const void *values;
  void *owner;
} cr_matrix;

/// Reads a variable of a MAT file of version 5. Rows and columns are set whenever its header could be read.
int cr_read_mat(const char *path, const char *name, int64_t max_bytes, cr_matrix *matrix, char *message);
void cr_free_matrix(cr_matrix *matrix);

// HDF5. A file is used by one thread at a time: the library may be built without locks of its own. Names are paths inside the
// file, `obs/_index`; an attribute of NULL means the array of that name itself. Nothing is printed.

typedef int64_t cr_h5;

enum { CR_H5_ABSENT = 0, CR_H5_GROUP = 1, CR_H5_ARRAY = 2 };
enum { CR_H5_MAX_RANK = 8 };

/// `kind` is 'f' float, 'i' or 'u' integer, 'e' named integers (truth values), 's' text, or 'o' for anything else; `size` the bytes
/// of a value, and `stored` those that the values take in the file.
typedef struct {
  char kind;
  int32_t size, rank;
  int64_t shape[CR_H5_MAX_RANK];
  int64_t stored;
} cr_h5_array;

typedef void (*cr_h5_text)(void *context, const char *text, size_t length);

/// Whether the texts of a file, which lie in global heaps, can be walked through: libhdf5 does not return from some damaged ones.
int cr_h5_is_sound(const uint8_t *bytes, size_t count);
int cr_h5_open(const char *path, cr_h5 *file, char *message);
void cr_h5_close(cr_h5 file);
int cr_h5_kind(cr_h5 file, const char *name);
/// Calls `take` with the name of each member of a group.
int cr_h5_names(cr_h5 file, const char *group, void *context, cr_h5_text take, char *message);
int cr_h5_describe(cr_h5 file, const char *name, const char *attribute, cr_h5_array *array, char *message);
/// Reads all values, as Float32 for 'f', Float64 for 'd', Int64 for 'i'; there must be room for as many as the shape says.
int cr_h5_read(cr_h5 file, const char *name, const char *attribute, char kind, void *values, char *message);
/// Calls `take` with each text, row by row.
int cr_h5_read_texts(cr_h5 file, const char *name, const char *attribute, void *context, cr_h5_text take, char *message);

/// Makes a file in memory. It keeps no times, so that equal contents are equal bytes.
int cr_h5_create(cr_h5 *file, char *message);
/// The bytes of a file that is made: their number where `bytes` is NULL, below 0 on failure.
int64_t cr_h5_image(cr_h5 file, void *bytes, size_t size);
int cr_h5_make_group(cr_h5 file, const char *name, char *message);
/// Writes Float32 for 'f', Int32 for 'i', Int64 for 'l', and for 't' bytes as the truth values of h5py.
int cr_h5_write(
    cr_h5 file, const char *name, const char *attribute, char kind, int32_t rank, const int64_t *shape,
    const void *values, char *message);
/// Writes UTF-8 texts: one, for rank 0, or a list.
int cr_h5_write_texts(
    cr_h5 file, const char *name, const char *attribute, int32_t rank, size_t count, const char *const *texts,
    char *message);
