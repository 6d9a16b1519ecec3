#include "bridge.h"

#include <cstring>

using namespace bridge;

void ct_free(ct_tensor t) { delete reinterpret_cast<at::Tensor *>(t); }
int ct_rank(ct_tensor t) { return static_cast<int>(open(t).dim()); }
void ct_sizes(ct_tensor t, int64_t *sizes) {
  auto source = open(t).sizes();
  std::copy(source.begin(), source.end(), sizes);
}
int64_t ct_count(ct_tensor t) { return open(t).numel(); }

int ct_dtype_of(ct_tensor t) {
  switch (open(t).scalar_type()) {
    case at::kFloat: return CT_F32;
    case at::kDouble: return CT_F64;
    case at::kLong: return CT_I64;
    case at::kByte: return CT_U8;
    case at::kBool: return CT_BOOL;
    case at::kBFloat16: return CT_BF16;
    case at::kHalf: return CT_F16;
    default: return -1;
  }
}

ct_device ct_device_of(ct_tensor t) {
  auto where = open(t).device();
  auto type = where.is_cuda() ? CT_CUDA : where.is_mps() ? CT_MPS : CT_CPU;
  return {type, where.has_index() ? where.index() : 0};
}

bool ct_requires_grad(ct_tensor t) { return open(t).requires_grad(); }
bool ct_is_channels_last(ct_tensor t) { return open(t).is_contiguous(at::MemoryFormat::ChannelsLast); }

int ct_copy_out(ct_tensor t, void *bytes, size_t byte_count) {
  return status([&] {
    auto source = open(t).detach().to(at::kCPU).contiguous();
    TORCH_CHECK(source.nbytes() == byte_count, "copy of ", byte_count, " bytes from a tensor of ", source.nbytes());
    std::memcpy(bytes, source.const_data_ptr(), byte_count);
  });
}

ct_tensor ct_from_bytes(const void *bytes, const int64_t *sizes, int rank, ct_dtype dtype) {
  return tensor([&] {
    auto result = at::empty(ints(sizes, rank), at::TensorOptions().dtype(scalarType(dtype)));
    if (result.nbytes()) std::memcpy(result.mutable_data_ptr(), bytes, result.nbytes());
    return result;
  });
}

int ct_item_double(ct_tensor t, double *value) {
  return status([&] { *value = open(t).item().toDouble(); });
}
ct_tensor ct_to(ct_tensor t, ct_dtype dtype, ct_device where) {
  return tensor([&] { return open(t).to(options(dtype, where)); });
}
ct_tensor ct_channels_last(ct_tensor t) {
  return tensor([&] { return open(t).contiguous(at::MemoryFormat::ChannelsLast); });
}

ct_tensor ct_full(const int64_t *sizes, int rank, double value, ct_dtype dtype, ct_device where) {
  return tensor([&] { return at::full(ints(sizes, rank), value, options(dtype, where)); });
}
ct_tensor ct_arange(double start, double end, double step, ct_dtype dtype, ct_device where) {
  return tensor([&] { return at::arange(start, end, step, options(dtype, where)); });
}
ct_tensor ct_linspace(double start, double end, int64_t count, ct_dtype dtype, ct_device where) {
  return tensor([&] { return at::linspace(start, end, count, options(dtype, where)); });
}
ct_tensor ct_eye(int64_t size, ct_dtype dtype, ct_device where) {
  return tensor([&] { return at::eye(size, options(dtype, where)); });
}
ct_tensor ct_full_like(ct_tensor t, double value) {
  return tensor([&] { return at::full_like(open(t), value); });
}

// Randomness

ct_generator ct_generator_new(ct_device where, uint64_t seed) {
  try {
    auto generator = at::globalContext().defaultGenerator(device(where)).clone();
    generator.set_current_seed(seed);
    return wrap(std::move(generator));
  } catch (const std::exception &error) {
    remember(error.what());
    return nullptr;
  }
}
ct_generator ct_generator_copy(ct_generator g) {
  try {
    return wrap(open(g).clone());
  } catch (const std::exception &error) {
    remember(error.what());
    return nullptr;
  }
}
void ct_generator_free(ct_generator g) { delete reinterpret_cast<at::Generator *>(g); }
ct_tensor ct_generator_state(ct_generator g) {
  return tensor([&] { return open(g).get_state(); });
}
int ct_generator_restore(ct_generator g, ct_tensor state) {
  return status([&] { open(g).set_state(open(state)); });
}
ct_tensor ct_randn(const int64_t *sizes, int rank, ct_dtype dtype, ct_device where, ct_generator g) {
  return tensor([&] { return at::randn(ints(sizes, rank), open(g), options(dtype, where)); });
}
ct_tensor ct_rand(const int64_t *sizes, int rank, ct_dtype dtype, ct_device where, ct_generator g) {
  return tensor([&] { return at::rand(ints(sizes, rank), open(g), options(dtype, where)); });
}
ct_tensor ct_randint(int64_t low, int64_t high, const int64_t *sizes, int rank, ct_device where, ct_generator g) {
  return tensor([&] { return at::randint(low, high, ints(sizes, rank), open(g), options(CT_I64, where)); });
}
ct_tensor ct_randperm(int64_t count, ct_device where, ct_generator g) {
  return tensor([&] { return at::randperm(count, open(g), options(CT_I64, where)); });
}
ct_tensor ct_bernoulli(ct_tensor probabilities, ct_generator g) {
  return tensor([&] { return at::bernoulli(open(probabilities), open(g)); });
}
ct_tensor ct_multinomial(ct_tensor weights, int64_t count, bool replacement, ct_generator g) {
  return tensor([&] { return at::multinomial(open(weights), count, replacement, open(g)); });
}

// In place

int ct_copy_into(ct_tensor target, ct_tensor source) {
  return status([&] {
    TORCH_CHECK(open(target).sizes() == open(source).sizes(), "sizes ", open(target).sizes(), " and ", open(source).sizes());
    open(target).copy_(open(source));
  });
}
int ct_fill_in_place(ct_tensor target, double value) {
  return status([&] { open(target).fill_(value); });
}
int ct_add_in_place(ct_tensor target, ct_tensor source, double alpha) {
  return status([&] { open(target).add_(open(source), alpha); });
}
int ct_mul_in_place(ct_tensor target, ct_tensor source) {
  return status([&] { open(target).mul_(open(source)); });
}
int ct_mul_scalar_in_place(ct_tensor target, double value) {
  return status([&] { open(target).mul_(value); });
}

// Shape and choice

ct_tensor ct_reshape(ct_tensor t, const int64_t *sizes, int rank) {
  return tensor([&] { return open(t).reshape(ints(sizes, rank)); });
}
ct_tensor ct_permute(ct_tensor t, const int64_t *axes, int rank) {
  return tensor([&] { return open(t).permute(ints(axes, rank)); });
}
ct_tensor ct_transpose(ct_tensor t, int64_t a, int64_t b) {
  return tensor([&] { return open(t).transpose(a, b); });
}
ct_tensor ct_squeeze(ct_tensor t, int64_t axis) {
  return tensor([&] { return open(t).squeeze(axis); });
}
ct_tensor ct_unsqueeze(ct_tensor t, int64_t axis) {
  return tensor([&] { return open(t).unsqueeze(axis); });
}
ct_tensor ct_expand(ct_tensor t, const int64_t *sizes, int rank) {
  return tensor([&] { return open(t).expand(ints(sizes, rank)); });
}
ct_tensor ct_cat(const ct_tensor *tensors, int count, int64_t axis) {
  return tensor([&] { return at::cat(list(tensors, count), axis); });
}
ct_tensor ct_stack(const ct_tensor *tensors, int count, int64_t axis) {
  return tensor([&] { return at::stack(list(tensors, count), axis); });
}
ct_tensor ct_slice(ct_tensor t, int64_t axis, int64_t start, int64_t end, int64_t step) {
  return tensor([&] { return open(t).slice(axis, start, end, step); });
}
ct_tensor ct_select(ct_tensor t, int64_t axis, int64_t index) {
  return tensor([&] { return open(t).select(axis, index); });
}
ct_tensor ct_index_select(ct_tensor t, int64_t axis, ct_tensor index) {
  return tensor([&] { return open(t).index_select(axis, open(index)); });
}
ct_tensor ct_gather(ct_tensor t, int64_t axis, ct_tensor index) {
  return tensor([&] { return open(t).gather(axis, open(index)); });
}
ct_tensor ct_index_add(ct_tensor t, int64_t axis, ct_tensor index, ct_tensor source) {
  return tensor([&] { return open(t).index_add(axis, open(index), open(source)); });
}
ct_tensor ct_flip(ct_tensor t, int64_t axis) {
  return tensor([&] { return open(t).flip({axis}); });
}
ct_tensor ct_tril(ct_tensor t, int64_t diagonal) {
  return tensor([&] { return open(t).tril(diagonal); });
}
ct_tensor ct_diagonal(ct_tensor t) {
  return tensor([&] { return open(t).diagonal(0, -2, -1); });
}
ct_tensor ct_one_hot(ct_tensor t, int64_t classes) {
  return tensor([&] { return at::one_hot(open(t), classes); });
}
ct_tensor ct_nonzero(ct_tensor t) {
  return tensor([&] { return at::nonzero(open(t)); });
}
ct_tensor ct_pad(ct_tensor t, const int64_t *pads, int pad_count, double value) {
  return tensor([&] { return at::constant_pad_nd(open(t), ints(pads, pad_count), value); });
}
