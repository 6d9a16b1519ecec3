#define _GNU_SOURCE
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "creaders.h"
#include "message.h"

/// The library would print its errors.
static void quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

static herr_t keep_first(unsigned depth, const H5E_error2_t *error, void *message) {
  (void)depth;
  if (!((char *)message)[0] && error->desc) cr_say(message, error->desc);
  return 0;
}

/// Keeps what the library says of the innermost fault.
static int failed(char *message) {
  cr_say(message, "");
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, message);
  return CR_DAMAGED;
}

// MARK: Reading

static uint64_t little(const uint8_t *bytes, int count) {
  uint64_t number = 0;
  while (count--) number = number << 8 | bytes[count];
  return number;
}

int cr_h5_is_sound(const uint8_t *bytes, size_t count) {
  // Collections are `GCOL`, version 1, their size, then objects: index, references, size, content. Index 0 is what is left, and
  // has its own header in its size: the library stays at one of size 0 for ever.
  static const uint8_t mark[8] = {'G', 'C', 'O', 'L', 1, 0, 0, 0};
  const uint8_t *end = bytes + count;
  for (const uint8_t *heap = bytes; (heap = memmem(heap, (size_t)(end - heap), mark, sizeof mark)); heap += sizeof mark) {
    if (end - heap < 16) return 1;
    uint64_t size = little(heap + 8, 8);
    if (size > (uint64_t)(end - heap)) return 0;
    for (uint64_t place = 16; place + 16 <= size;) {
      uint64_t index = little(heap + place, 2), length = little(heap + place + 8, 8);
      if (length > size || (index == 0 && length < 16)) return 0;
      place += index == 0 ? length : 16 + (length + 7) / 8 * 8;
    }
  }
  return 1;
}

int cr_h5_open(const char *path, cr_h5 *file, char *message) {
  quiet();
  cr_say(message, "");
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
  // Locks fail on some network drives, and a file that is read needs none.
  H5Pset_file_locking(access, 0, 1);
#endif
  *file = H5Fopen(path, H5F_ACC_RDONLY, access);
  int status = *file < 0 ? failed(message) : CR_OK;
  H5Pclose(access);
  return status;
}

void cr_h5_close(cr_h5 file) { H5Fclose(file); }

int cr_h5_kind(cr_h5 file, const char *name) {
  quiet();
  char *path = strdup(name);
  if (!path) return CR_H5_ABSENT;
  // The library wants each part of a path to be there before the next is asked for.
  int exists = 1;
  for (char *slash = strchr(path, '/'); slash && exists; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    exists = H5Lexists(file, path, H5P_DEFAULT) > 0;
    *slash = '/';
  }
  exists = exists && H5Lexists(file, path, H5P_DEFAULT) > 0;
  free(path);
  if (!exists) return CR_H5_ABSENT;
  hid_t object = H5Oopen(file, name, H5P_DEFAULT);
  if (object < 0) return CR_H5_ABSENT;
  H5I_type_t type = H5Iget_type(object);
  H5Oclose(object);
  return type == H5I_GROUP ? CR_H5_GROUP : type == H5I_DATASET ? CR_H5_ARRAY : CR_H5_ABSENT;
}

typedef struct {
  void *context;
  cr_h5_text take;
} text_taker;

static herr_t take_name(hid_t group, const char *name, const H5L_info_t *info, void *taker) {
  (void)group;
  (void)info;
  ((text_taker *)taker)->take(((text_taker *)taker)->context, name, strlen(name));
  return 0;
}

int cr_h5_names(cr_h5 file, const char *group, void *context, cr_h5_text take, char *message) {
  quiet();
  hid_t opened = H5Gopen2(file, group, H5P_DEFAULT);
  if (opened < 0) return failed(message);
  text_taker taker = {context, take};
  int status = H5Literate(opened, H5_INDEX_NAME, H5_ITER_INC, NULL, take_name, &taker) < 0 ? failed(message) : CR_OK;
  H5Gclose(opened);
  return status;
}

/// An array or an attribute, open, with its type and space.
typedef struct {
  hid_t object, attribute, type, space;
} opened_array;

static void close_array(opened_array *array) {
  if (array->space >= 0) H5Sclose(array->space);
  if (array->type >= 0) H5Tclose(array->type);
  if (array->attribute >= 0) H5Aclose(array->attribute);
  if (array->object >= 0) H5Oclose(array->object);
}

static int open_array(cr_h5 file, const char *name, const char *attribute, opened_array *array, char *message) {
  quiet();
  cr_say(message, "");
  *array = (opened_array){-1, -1, -1, -1};
  if (attribute) {
    array->object = H5Oopen(file, name, H5P_DEFAULT);
    if (array->object < 0) return failed(message);
    if (H5Aexists(array->object, attribute) <= 0) {
      close_array(array);
      return CR_ABSENT;
    }
    array->attribute = H5Aopen(array->object, attribute, H5P_DEFAULT);
    if (array->attribute >= 0) {
      array->type = H5Aget_type(array->attribute);
      array->space = H5Aget_space(array->attribute);
    }
  } else {
    array->object = H5Dopen2(file, name, H5P_DEFAULT);
    if (array->object >= 0) {
      array->type = H5Dget_type(array->object);
      array->space = H5Dget_space(array->object);
    }
  }
  if (array->type >= 0 && array->space >= 0) return CR_OK;
  failed(message);
  close_array(array);
  return CR_DAMAGED;
}

static char kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT: return 'f';
    case H5T_INTEGER: return H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i';
    case H5T_ENUM: return 'e';
    case H5T_STRING: return 's';
    default: return 'o';
  }
}

int cr_h5_describe(cr_h5 file, const char *name, const char *attribute, cr_h5_array *array, char *message) {
  *array = (cr_h5_array){0};
  opened_array opened;
  int status = open_array(file, name, attribute, &opened, message);
  if (status != CR_OK) return status;
  array->kind = kind_of(opened.type);
  array->size = (int32_t)H5Tget_size(opened.type);
  array->rank = H5Sget_simple_extent_ndims(opened.space);
  hsize_t shape[H5S_MAX_RANK];
  if (H5Sget_simple_extent_type(opened.space) == H5S_NULL) {
    array->rank = 1;
  } else if (array->rank > CR_H5_MAX_RANK) {
    status = CR_UNSUPPORTED;
  } else if (array->rank < 0 || H5Sget_simple_extent_dims(opened.space, shape, NULL) < 0) {
    status = failed(message);
  } else {
    for (int axis = 0; axis < array->rank; axis++) {
      array->shape[axis] = shape[axis] > INT64_MAX ? INT64_MAX : (int64_t)shape[axis];
    }
  }
  if (!attribute) array->stored = (int64_t)H5Dget_storage_size(opened.object);
  close_array(&opened);
  return status;
}

static herr_t read_all(const opened_array *array, hid_t type, void *values) {
  return array->attribute >= 0 ? H5Aread(array->attribute, type, values)
                               : H5Dread(array->object, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
}

int cr_h5_read(cr_h5 file, const char *name, const char *attribute, char kind, void *values, char *message) {
  opened_array opened;
  int status = open_array(file, name, attribute, &opened, message);
  if (status != CR_OK) return status;
  hid_t type = kind == 'f' ? H5T_NATIVE_FLOAT : kind == 'd' ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
  if (read_all(&opened, type, values) < 0) status = failed(message);
  close_array(&opened);
  return status;
}

static int read_pointers(const opened_array *array, size_t count, void *context, cr_h5_text take, char *message) {
  char **texts = calloc(count, sizeof *texts);
  if (!texts) return CR_NO_MEMORY;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5Tget_cset(array->type));
  int status = read_all(array, type, texts) < 0 ? failed(message) : CR_OK;
  for (size_t index = 0; index < count && status == CR_OK; index++) {
    take(context, texts[index] ? texts[index] : "", texts[index] ? strlen(texts[index]) : 0);
  }
  H5Dvlen_reclaim(type, array->space, H5P_DEFAULT, texts);
  H5Tclose(type);
  free(texts);
  return status;
}

static int read_fixed(const opened_array *array, size_t count, void *context, cr_h5_text take, char *message) {
  size_t size = H5Tget_size(array->type);
  char *bytes = size ? calloc(count, size) : NULL;
  if (!bytes) return CR_NO_MEMORY;
  int status = read_all(array, array->type, bytes) < 0 ? failed(message) : CR_OK;
  for (size_t index = 0; index < count && status == CR_OK; index++) {
    take(context, bytes + index * size, strnlen(bytes + index * size, size));
  }
  free(bytes);
  return status;
}

int cr_h5_read_texts(cr_h5 file, const char *name, const char *attribute, void *context, cr_h5_text take, char *message) {
  opened_array opened;
  int status = open_array(file, name, attribute, &opened, message);
  if (status != CR_OK) return status;
  hssize_t count = H5Sget_simple_extent_npoints(opened.space);
  if (kind_of(opened.type) != 's') {
    status = CR_UNSUPPORTED;
  } else if (count > 0) {
    status = H5Tis_variable_str(opened.type) > 0 ? read_pointers(&opened, (size_t)count, context, take, message)
                                                 : read_fixed(&opened, (size_t)count, context, take, message);
  }
  close_array(&opened);
  return status;
}

// MARK: Writing

int cr_h5_create(cr_h5 *file, char *message) {
  quiet();
  cr_say(message, "");
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 20, 0);
  hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_obj_track_times(creation, 0);
  *file = H5Fcreate("memory.h5", H5F_ACC_TRUNC, creation, access);
  int status = *file < 0 ? failed(message) : CR_OK;
  H5Pclose(creation);
  H5Pclose(access);
  return status;
}

int64_t cr_h5_image(cr_h5 file, void *bytes, size_t size) {
  quiet();
  if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) return -1;
  return H5Fget_file_image(file, bytes, size);
}

int cr_h5_make_group(cr_h5 file, const char *name, char *message) {
  quiet();
  hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation, 0);
  hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, creation, H5P_DEFAULT);
  int status = group < 0 ? failed(message) : CR_OK;
  if (group >= 0) H5Gclose(group);
  H5Pclose(creation);
  return status;
}

static int write_values(
    cr_h5 file, const char *name, const char *attribute, hid_t type, hid_t memory, hid_t space, const void *values,
    char *message) {
  herr_t written = -1;
  if (attribute) {
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    hid_t made = object < 0 ? -1 : H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (made >= 0) {
      written = H5Awrite(made, memory, values);
      H5Aclose(made);
    }
    if (object >= 0) H5Oclose(object);
  } else {
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, 0);
    hid_t made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (made >= 0) {
      written = H5Dwrite(made, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
      H5Dclose(made);
    }
    H5Pclose(creation);
  }
  return written < 0 ? failed(message) : CR_OK;
}

/// How h5py stores truth values.
static hid_t truth_type(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  int8_t value = 0;
  H5Tenum_insert(type, "FALSE", &value);
  value = 1;
  H5Tenum_insert(type, "TRUE", &value);
  return type;
}

int cr_h5_write(
    cr_h5 file, const char *name, const char *attribute, char kind, int32_t rank, const int64_t *shape,
    const void *values, char *message) {
  quiet();
  hsize_t sizes[CR_H5_MAX_RANK];
  for (int axis = 0; axis < rank; axis++) sizes[axis] = (hsize_t)shape[axis];
  hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, sizes, NULL);
  hid_t type = kind == 'f'   ? H5Tcopy(H5T_IEEE_F32LE)
               : kind == 'i' ? H5Tcopy(H5T_STD_I32LE)
               : kind == 'l' ? H5Tcopy(H5T_STD_I64LE)
                             : truth_type();
  hid_t memory = kind == 'f'   ? H5T_NATIVE_FLOAT
                 : kind == 'i' ? H5T_NATIVE_INT32
                 : kind == 'l' ? H5T_NATIVE_INT64
                               : type;
  int status = write_values(file, name, attribute, type, memory, space, values, message);
  H5Tclose(type);
  H5Sclose(space);
  return status;
}

int cr_h5_write_texts(
    cr_h5 file, const char *name, const char *attribute, int32_t rank, size_t count, const char *const *texts,
    char *message) {
  quiet();
  hsize_t size = count;
  hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  int status = write_values(file, name, attribute, type, type, space, texts, message);
  H5Tclose(type);
  H5Sclose(space);
  return status;
}
