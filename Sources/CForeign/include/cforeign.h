// Calls of functions whose signatures are known at run time only, by libffi.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The types of values that functions take and return.
typedef enum {
  CF_VOID,
  CF_INT8,
  CF_UINT8,
  CF_INT16,
  CF_UINT16,
  CF_INT32,
  CF_UINT32,
  CF_INT64,
  CF_UINT64,
  CF_FLOAT,
  CF_DOUBLE,
  CF_POINTER
} cf_type;

/// A value that a function returns: `whole` of whole numbers, the bits of UINT64 and pointers; `real` of the others.
typedef struct {
  int64_t whole;
  double real;
} cf_value;

typedef struct cf_prepared *cf_signature;
typedef struct cf_made *cf_closure;

/// The status with which the program ends where a library calls `exit`.
#define CF_EXITED 70

/// Loads a library, as `dlopen` does. Its own code runs.
///
/// Where that, and likewise a function that is called, ends the program by `exit` or a fault, a sentence on standard error begins
/// with `title`, and the status is CF_EXITED, or 128 and the number of the signal.
void *cf_open(const char *title, const char *path);

/// Prepares calls of a signature; NULL where libffi refuses it.
cf_signature cf_signature_new(cf_type result, const cf_type *arguments, int count);
void cf_signature_free(cf_signature signature);

/// Calls a function. `arguments[i]` points to the value of the i-th argument.
///
/// Returns 0; or 1 where the function threw a C++ exception, whose text goes to `message`, of `size` bytes.
int cf_call(
  const char *title, cf_signature signature, void *function, void *const *arguments, cf_value *result, char *message,
  size_t size);

/// Calls a function that takes and returns nothing. Returns what `cf_call` does.
int cf_run(const char *title, void *function, char *message, size_t size);

/// A function of a closure; `arguments[i]` points to the value of the i-th argument.
typedef cf_value (*cf_handler)(void *const *arguments, void *context);

/// Makes a C function of a signature that calls `handler`; NULL where libffi cannot. The signature must outlive it.
cf_closure cf_closure_new(cf_signature signature, cf_handler handler, void *context);
/// The function, for others to call until the closure is freed.
void *cf_closure_code(cf_closure closure);
void cf_closure_free(cf_closure closure);

/// The file that a function was loaded from; NULL where that is not known.
const char *cf_file_of(const void *function);

#ifdef __cplusplus
}
#endif
