#include "cforeign.h"

#include "ended.h"

#include <dlfcn.h>
#include <ffi.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <vector>

struct cf_prepared {
  ffi_cif cif;
  cf_type result;
  std::vector<ffi_type *> arguments;
};

struct cf_made {
  cf_signature signature;
  cf_handler handler;
  void *context;
  ffi_closure *closure;
  void *code;
};

namespace {

ffi_type *type(cf_type type) {
  switch (type) {
    case CF_VOID: return &ffi_type_void;
    case CF_INT8: return &ffi_type_sint8;
    case CF_UINT8: return &ffi_type_uint8;
    case CF_INT16: return &ffi_type_sint16;
    case CF_UINT16: return &ffi_type_uint16;
    case CF_INT32: return &ffi_type_sint32;
    case CF_UINT32: return &ffi_type_uint32;
    case CF_INT64: return &ffi_type_sint64;
    case CF_UINT64: return &ffi_type_uint64;
    case CF_FLOAT: return &ffi_type_float;
    case CF_DOUBLE: return &ffi_type_double;
    case CF_POINTER: return &ffi_type_pointer;
  }
  return &ffi_type_void;
}

// What is smaller than a register is returned as wide as one.
union Returned {
  ffi_arg word;
  int64_t whole;
  float single;
  double real;
  void *pointer;
};

cf_value value(cf_type type, const Returned &returned) {
  switch (type) {
    case CF_VOID: return {0, 0};
    case CF_INT8: return {static_cast<int8_t>(returned.word), 0};
    case CF_UINT8: return {static_cast<uint8_t>(returned.word), 0};
    case CF_INT16: return {static_cast<int16_t>(returned.word), 0};
    case CF_UINT16: return {static_cast<uint16_t>(returned.word), 0};
    case CF_INT32: return {static_cast<int32_t>(returned.word), 0};
    case CF_UINT32: return {static_cast<uint32_t>(returned.word), 0};
    case CF_INT64:
    case CF_UINT64: return {returned.whole, 0};
    case CF_FLOAT: return {0, returned.single};
    case CF_DOUBLE: return {0, returned.real};
    case CF_POINTER: return {static_cast<int64_t>(reinterpret_cast<intptr_t>(returned.pointer)), 0};
  }
  return {0, 0};
}

void answer(ffi_cif *, void *result, void **arguments, void *context) {
  const Called ours(nullptr);
  auto closure = static_cast<cf_closure>(context);
  auto value = closure->handler(arguments, closure->context);
  switch (closure->signature->result) {
    case CF_VOID: break;
    case CF_FLOAT: *static_cast<float *>(result) = static_cast<float>(value.real); break;
    case CF_DOUBLE: *static_cast<double *>(result) = value.real; break;
    case CF_INT64:
    case CF_UINT64:
    case CF_POINTER: *static_cast<int64_t *>(result) = value.whole; break;
    default: *static_cast<ffi_arg *>(result) = static_cast<ffi_arg>(value.whole); break;
  }
}

/// Runs a call of a library; 1 and the text of a C++ exception where it throws one.
template <typename Body> int caught(const char *title, char *message, size_t size, Body body) {
  const Called called(title);
  try {
    body();
  } catch (const std::exception &error) {
    snprintf(message, size, "%s", error.what());
    return 1;
  } catch (...) {
    snprintf(message, size, "a value that is no std::exception");
    return 1;
  }
  return 0;
}

}  // namespace

void *cf_open(const char *title, const char *path) {
  const Called called(title);
  return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

cf_signature cf_signature_new(cf_type result, const cf_type *arguments, int count) {
  auto made = std::unique_ptr<cf_prepared>(new (std::nothrow) cf_prepared);
  if (!made) return nullptr;
  made->result = result;
  for (int i = 0; i < count; i++) made->arguments.push_back(type(arguments[i]));
  auto status = ffi_prep_cif(
    &made->cif, FFI_DEFAULT_ABI, static_cast<unsigned>(count), type(result), made->arguments.data());
  return status == FFI_OK ? made.release() : nullptr;
}

void cf_signature_free(cf_signature signature) { delete signature; }

int cf_call(
  const char *title, cf_signature signature, void *function, void *const *arguments, cf_value *result, char *message,
  size_t size) {
  Returned returned = {};
  const int code = caught(title, message, size, [&] {
    ffi_call(&signature->cif, FFI_FN(function), &returned, const_cast<void **>(arguments));
  });
  if (code == 0) *result = value(signature->result, returned);
  return code;
}

int cf_run(const char *title, void *function, char *message, size_t size) {
  return caught(title, message, size, reinterpret_cast<void (*)()>(function));
}

cf_closure cf_closure_new(cf_signature signature, cf_handler handler, void *context) {
  auto made = std::unique_ptr<cf_made>(new (std::nothrow) cf_made);
  if (!made) return nullptr;
  *made = {signature, handler, context, nullptr, nullptr};
  made->closure = static_cast<ffi_closure *>(ffi_closure_alloc(sizeof(ffi_closure), &made->code));
  if (!made->closure) return nullptr;
  if (ffi_prep_closure_loc(made->closure, &signature->cif, answer, made.get(), made->code) == FFI_OK)
    return made.release();
  ffi_closure_free(made->closure);
  return nullptr;
}

void *cf_closure_code(cf_closure closure) { return closure->code; }

void cf_closure_free(cf_closure closure) {
  if (!closure) return;
  ffi_closure_free(closure->closure);
  delete closure;
}

const char *cf_file_of(const void *function) {
  Dl_info facts;
  return dladdr(function, &facts) ? facts.dli_fname : nullptr;
}
