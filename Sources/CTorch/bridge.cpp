#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace bridge {

static thread_local std::string last;
thread_local at::ScalarType reduced = at::ScalarType::Undefined;

void remember(std::string message) {
  // One line: libtorch appends source positions and advice for Python.
  last = message.substr(0, message.find('\n'));
}

at::ScalarType scalarType(ct_dtype dtype) {
  switch (dtype) {
    case CT_F32: return at::kFloat;
    case CT_F64: return at::kDouble;
    case CT_I64: return at::kLong;
    case CT_U8: return at::kByte;
    case CT_BOOL: return at::kBool;
    case CT_BF16: return at::kBFloat16;
    case CT_F16: return at::kHalf;
  }
  return at::kFloat;
}

at::Device device(ct_device device) {
  // libtorch counts devices in a byte.
  TORCH_CHECK(device.index >= 0 && device.index < 128, "found device ", device.index, ", expected 0 to 127");
  switch (device.type) {
    case CT_CUDA: return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index));
    case CT_MPS: return at::Device(at::kMPS, static_cast<c10::DeviceIndex>(device.index));
    case CT_CPU: break;
  }
  return at::Device(at::kCPU);
}

}  // namespace bridge

using namespace bridge;

const char *ct_last_error(void) { return bridge::last.c_str(); }
const char *ct_version(void) { return TORCH_VERSION; }

bool ct_has_device(ct_device where) {
  try {
    switch (where.type) {
      case CT_CPU: return true;
      case CT_CUDA: return at::hasCUDA() && where.index >= 0 && where.index < at::detail::getCUDAHooks().deviceCount();
      case CT_MPS: return at::hasMPS();
    }
  } catch (const std::exception &) {
  }
  return false;
}

int ct_synchronize(ct_device where) {
  return status([&] {
    const auto place = device(where);
    if (!place.is_cpu()) c10::impl::VirtualGuardImpl(place.type()).synchronizeDevice(place.index());
  });
}

int ct_get_threads(void) { return at::get_num_threads(); }
int ct_set_threads(int count) {
  return status([&] { at::set_num_threads(count); });
}

void ct_keep_large_blocks(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

bool ct_begin_reduced(ct_dtype dtype) {
  const bool had = bridge::reduced != at::ScalarType::Undefined;
  bridge::reduced = scalarType(dtype);
  return had;
}
void ct_end_reduced(void) { bridge::reduced = at::ScalarType::Undefined; }

// Float32 is Float32: unless told otherwise, libtorch lets cuDNN round what convolutions multiply.
static const int exact = ct_allow_tf32(false);

bool ct_allows_tf32(void) { return at::globalContext().allowTF32CuBLAS() || at::globalContext().allowTF32CuDNN(); }
int ct_allow_tf32(bool on) {
  return status([&] {
    at::globalContext().setAllowTF32CuBLAS(on);
    at::globalContext().setAllowTF32CuDNN(on);
  });
}

void ct_set_deterministic(bool on) {
  at::globalContext().setDeterministicAlgorithms(on, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(on);
  // Every value of a tensor is written before it is read: nothing has to be filled before.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  // cuBLAS sums in one order only with workspaces of a fixed size, and reads this when it is first used.
  if (on) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setBenchmarkCuDNN(!on);
}
