// Shared by every file of the shim: the handles, and the catch that keeps C++ exceptions out of the C interface.
#pragma once
#include "ctorch.h"

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace bridge {

void remember(std::string message);

inline at::Tensor &open(ct_tensor t) { return *reinterpret_cast<at::Tensor *>(t); }
inline at::Generator &open(ct_generator g) { return *reinterpret_cast<at::Generator *>(g); }
inline ct_tensor wrap(at::Tensor t) { return reinterpret_cast<ct_tensor>(new at::Tensor(std::move(t))); }
inline ct_generator wrap(at::Generator g) { return reinterpret_cast<ct_generator>(new at::Generator(std::move(g))); }
inline at::Tensor optional(ct_tensor t) { return t ? open(t) : at::Tensor(); }
inline at::IntArrayRef ints(const int64_t *values, int count) { return {values, static_cast<size_t>(count)}; }

inline std::vector<at::Tensor> list(const ct_tensor *tensors, int count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (int i = 0; i < count; i++) result.push_back(open(tensors[i]));
  return result;
}

at::ScalarType scalarType(ct_dtype dtype);
at::Device device(ct_device device);
inline at::TensorOptions options(ct_dtype dtype, ct_device where) {
  return at::TensorOptions().dtype(scalarType(dtype)).device(device(where));
}

/// The type that layers with weights compute in on this thread, where that is not their own; Undefined where it is.
extern thread_local at::ScalarType reduced;
/// The tensor as such a layer takes it.
inline at::Tensor narrow(const at::Tensor &t) {
  return reduced != at::ScalarType::Undefined && t.defined() && t.scalar_type() == at::kFloat ? t.to(reduced) : t;
}
/// The tensor for an operation that half precision is too coarse for.
inline at::Tensor wide(const at::Tensor &t) { return t.defined() && at::isReducedFloatingType(t.scalar_type()) ? t.to(at::kFloat) : t; }

template <typename Body>
ct_tensor tensor(Body body) {
  try {
    return wrap(body());
  } catch (const c10::Error &error) {
    remember(error.what_without_backtrace());
  } catch (const std::exception &error) {
    remember(error.what());
  }
  return nullptr;
}

template <typename Body>
int status(Body body) {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    remember(error.what_without_backtrace());
  } catch (const std::exception &error) {
    remember(error.what());
  }
  return 1;
}

}  // namespace bridge
