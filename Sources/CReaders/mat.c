#include <matio.h>
#include <pthread.h>
#include <stdlib.h>

#include "creaders.h"
#include "message.h"

/// The library's last complaint in this thread.
static _Thread_local char complaint[CR_MESSAGE_LENGTH];

static void keep(int level, char *text) {
  (void)level;
  cr_say(complaint, text);
}

// The library's own listener would end the program on an error, and print.
static void listen(void) { Mat_LogInitFunc("LatentKit", keep); }

static int describe(const matvar_t *variable, cr_matrix *matrix) {
  switch (variable->class_type) {
    case MAT_C_DOUBLE: matrix->kind = 'f'; matrix->size = 8; break;
    case MAT_C_SINGLE: matrix->kind = 'f'; matrix->size = 4; break;
    case MAT_C_UINT8: matrix->kind = 'u'; matrix->size = 1; break;
    case MAT_C_INT8: matrix->kind = 'i'; matrix->size = 1; break;
    case MAT_C_UINT16: matrix->kind = 'u'; matrix->size = 2; break;
    case MAT_C_INT16: matrix->kind = 'i'; matrix->size = 2; break;
    case MAT_C_UINT32: matrix->kind = 'u'; matrix->size = 4; break;
    case MAT_C_INT32: matrix->kind = 'i'; matrix->size = 4; break;
    default: return 0;
  }
  return variable->rank == 2 && !variable->isComplex;
}

static int read_variable(mat_t *file, const char *name, int64_t max_bytes, cr_matrix *matrix, char *message) {
  matvar_t *variable = Mat_VarReadInfo(file, name);
  if (!variable) {
    cr_say(message, complaint);
    return complaint[0] ? CR_DAMAGED : CR_ABSENT;
  }
  matrix->owner = variable;
  if (!describe(variable, matrix)) {
    cr_say(message, "it is not a matrix of real numbers");
    return CR_UNSUPPORTED;
  }
  if (variable->dims[0] > INT32_MAX || variable->dims[1] > INT32_MAX) return CR_TOO_LARGE;
  matrix->rows = (int64_t)variable->dims[0];
  matrix->columns = (int64_t)variable->dims[1];
  if (matrix->rows * matrix->columns > max_bytes / matrix->size) return CR_TOO_LARGE;
  if (Mat_VarReadDataAll(file, variable) || complaint[0]) {
    cr_say(message, complaint);
    return CR_DAMAGED;
  }
  size_t expected = (size_t)(matrix->rows * matrix->columns * matrix->size);
  if (!variable->data || variable->nbytes != expected || variable->data_size != matrix->size) {
    cr_say(message, "it has fewer values than its header says");
    return CR_DAMAGED;
  }
  matrix->values = variable->data;
  return CR_OK;
}

int cr_read_mat(const char *path, const char *name, int64_t max_bytes, cr_matrix *matrix, char *message) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, listen);
  *matrix = (cr_matrix){0};
  cr_say(message, "");
  cr_say(complaint, "");
  mat_t *file = Mat_Open(path, MAT_ACC_RDONLY);
  if (!file) {
    cr_say(message, complaint);
    return CR_DAMAGED;
  }
  int status = CR_UNSUPPORTED;
  if (Mat_GetVersion(file) == MAT_FT_MAT5) status = read_variable(file, name, max_bytes, matrix, message);
  Mat_Close(file);
  if (status != CR_OK) cr_free_matrix(matrix);
  return status;
}

void cr_free_matrix(cr_matrix *matrix) {
  Mat_VarFree(matrix->owner);
  matrix->owner = NULL;
  matrix->values = NULL;
}
