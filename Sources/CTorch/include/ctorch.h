// A plain C interface to libtorch.
//
// Rules:
// - A `ct_tensor` that a function returns is owned by the caller, who frees it with `ct_free`. Arguments are borrowed.
// - A function that can fail returns NULL, or a status other than 0; `ct_last_error` then holds one line about it,
//   valid until the next failure on the same thread. No C++ exception leaves this interface.
// - Axes may be negative, as in PyTorch. Shapes and axes are arrays of int64_t with their count.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor_opaque *ct_tensor;
typedef struct ct_generator_opaque *ct_generator;

typedef enum ct_dtype { CT_F32 = 0, CT_F64 = 1, CT_I64 = 2, CT_U8 = 3, CT_BOOL = 4, CT_BF16 = 5, CT_F16 = 6 } ct_dtype;
typedef enum ct_device_type { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2 } ct_device_type;
typedef struct ct_device {
  ct_device_type type;
  int32_t index;
} ct_device;

const char *ct_last_error(void);

// ---- The library -------------------------------------------------------------------------------------------------
const char *ct_version(void);
bool ct_has_device(ct_device device);
int ct_get_threads(void);
int ct_set_threads(int count);
/// Lets this thread, and those that its operations use, take numbers below the normal range as zero.
void ct_flush_subnormals(void);
/// Tells the C allocator to keep large freed blocks instead of returning them to the system after every step.
void ct_keep_large_blocks(void);
/// From now on layers with weights compute in `dtype` on this thread. Returns whether they did not compute in their own type before.
bool ct_begin_reduced(ct_dtype dtype);
/// From now on they compute in their own type.
void ct_end_reduced(void);
/// The least seconds of a few convolutions in a type on a CPU; infinite where it cannot.
double ct_convolution_seconds(ct_dtype dtype, ct_device device);
/// Whether matrix products of float32 may round their factors to 19 bits, on GPUs that have that.
int ct_allow_tf32(bool on);
bool ct_allows_tf32(void);
int ct_synchronize(ct_device where);
/// Makes every operation choose a deterministic algorithm, on any device.
void ct_set_deterministic(bool on);

// ---- Tensors: life, facts, bytes -----------------------------------------------------------------------------------
void ct_free(ct_tensor t);
int ct_rank(ct_tensor t);
void ct_sizes(ct_tensor t, int64_t *sizes);
int64_t ct_count(ct_tensor t);
/// The `ct_dtype`, or -1 for an unsupported type.
int ct_dtype_of(ct_tensor t);
ct_device ct_device_of(ct_tensor t);
bool ct_requires_grad(ct_tensor t);
bool ct_is_channels_last(ct_tensor t);
/// Copies the elements in row-major order into host memory of exactly `count * size of element` bytes.
int ct_copy_out(ct_tensor t, void *bytes, size_t byte_count);
ct_tensor ct_from_bytes(const void *bytes, const int64_t *sizes, int rank, ct_dtype dtype);
int ct_item_double(ct_tensor t, double *value);
ct_tensor ct_to(ct_tensor t, ct_dtype dtype, ct_device device);
ct_tensor ct_channels_last(ct_tensor t);

// ---- Creation --------------------------------------------------------------------------------------------------------
ct_tensor ct_full(const int64_t *sizes, int rank, double value, ct_dtype dtype, ct_device device);
ct_tensor ct_arange(double start, double end, double step, ct_dtype dtype, ct_device device);
ct_tensor ct_linspace(double start, double end, int64_t count, ct_dtype dtype, ct_device device);
ct_tensor ct_eye(int64_t size, ct_dtype dtype, ct_device device);
ct_tensor ct_full_like(ct_tensor t, double value);

// ---- Random draws: always from a generator ---------------------------------------------------------------------------
ct_generator ct_generator_new(ct_device device, uint64_t seed);
ct_generator ct_generator_copy(ct_generator g);
void ct_generator_free(ct_generator g);
ct_tensor ct_generator_state(ct_generator g);
int ct_generator_restore(ct_generator g, ct_tensor state);
ct_tensor ct_randn(const int64_t *sizes, int rank, ct_dtype dtype, ct_device device, ct_generator g);
ct_tensor ct_rand(const int64_t *sizes, int rank, ct_dtype dtype, ct_device device, ct_generator g);
ct_tensor ct_randint(int64_t low, int64_t high, const int64_t *sizes, int rank, ct_device device, ct_generator g);
ct_tensor ct_randperm(int64_t count, ct_device device, ct_generator g);
ct_tensor ct_bernoulli(ct_tensor probabilities, ct_generator g);
ct_tensor ct_multinomial(ct_tensor weights, int64_t count, bool replacement, ct_generator g);

// ---- Element by element ----------------------------------------------------------------------------------------------
#define CT_UNARY(name) ct_tensor ct_##name(ct_tensor t);
CT_UNARY(neg) CT_UNARY(abs) CT_UNARY(exp) CT_UNARY(log) CT_UNARY(log1p) CT_UNARY(sqrt) CT_UNARY(rsqrt) CT_UNARY(square)
CT_UNARY(reciprocal) CT_UNARY(sign) CT_UNARY(erf) CT_UNARY(erfinv) CT_UNARY(floor) CT_UNARY(sin) CT_UNARY(cos) CT_UNARY(acos)
CT_UNARY(sigmoid) CT_UNARY(tanh) CT_UNARY(relu) CT_UNARY(softplus) CT_UNARY(isfinite) CT_UNARY(isnan)
CT_UNARY(logical_not) CT_UNARY(detach) CT_UNARY(clone) CT_UNARY(contiguous)
#undef CT_UNARY
#define CT_BINARY(name) ct_tensor ct_##name(ct_tensor a, ct_tensor b);
CT_BINARY(add) CT_BINARY(sub) CT_BINARY(mul) CT_BINARY(div) CT_BINARY(pow) CT_BINARY(maximum) CT_BINARY(minimum)
CT_BINARY(matmul) CT_BINARY(eq) CT_BINARY(ne) CT_BINARY(lt) CT_BINARY(le) CT_BINARY(gt) CT_BINARY(ge)
CT_BINARY(logical_and) CT_BINARY(logical_or) CT_BINARY(prelu)
#undef CT_BINARY
#define CT_SCALAR(name) ct_tensor ct_##name##_scalar(ct_tensor t, double value);
CT_SCALAR(add) CT_SCALAR(mul) CT_SCALAR(div) CT_SCALAR(rsub) CT_SCALAR(rdiv) CT_SCALAR(pow)
CT_SCALAR(eq) CT_SCALAR(ne) CT_SCALAR(lt) CT_SCALAR(le) CT_SCALAR(gt) CT_SCALAR(ge)
#undef CT_SCALAR
ct_tensor ct_leaky_relu(ct_tensor t, double slope);
/// Bounds may be infinite.
ct_tensor ct_clamp(ct_tensor t, double low, double high);
ct_tensor ct_where(ct_tensor condition, ct_tensor a, ct_tensor b);
ct_tensor ct_masked_fill(ct_tensor t, ct_tensor mask, double value);

// ---- In place (the target keeps its identity; used outside autograd) ---------------------------------------------------
int ct_copy_into(ct_tensor target, ct_tensor source);
int ct_fill_in_place(ct_tensor target, double value);
int ct_add_in_place(ct_tensor target, ct_tensor source, double alpha);
int ct_mul_in_place(ct_tensor target, ct_tensor source);
int ct_mul_scalar_in_place(ct_tensor target, double value);

// ---- Reductions: `axis_count` 0 reduces everything ---------------------------------------------------------------------
#define CT_REDUCE(name) ct_tensor ct_##name(ct_tensor t, const int64_t *axes, int axis_count, bool keep);
CT_REDUCE(sum) CT_REDUCE(mean) CT_REDUCE(amax) CT_REDUCE(amin) CT_REDUCE(logsumexp)
#undef CT_REDUCE
ct_tensor ct_var(ct_tensor t, const int64_t *axes, int axis_count, bool unbiased, bool keep);
ct_tensor ct_argmax(ct_tensor t, int64_t axis);
ct_tensor ct_argmin(ct_tensor t, int64_t axis);
ct_tensor ct_cumsum(ct_tensor t, int64_t axis);
ct_tensor ct_autocovariance(ct_tensor t, int64_t axis);
ct_tensor ct_all(ct_tensor t);
ct_tensor ct_any(ct_tensor t);
int ct_sort(ct_tensor t, int64_t axis, bool descending, ct_tensor *values, ct_tensor *indices);

// ---- Shape and choice ----------------------------------------------------------------------------------------------------
ct_tensor ct_reshape(ct_tensor t, const int64_t *sizes, int rank);
ct_tensor ct_permute(ct_tensor t, const int64_t *axes, int rank);
ct_tensor ct_transpose(ct_tensor t, int64_t a, int64_t b);
ct_tensor ct_squeeze(ct_tensor t, int64_t axis);
ct_tensor ct_unsqueeze(ct_tensor t, int64_t axis);
ct_tensor ct_expand(ct_tensor t, const int64_t *sizes, int rank);
ct_tensor ct_cat(const ct_tensor *tensors, int count, int64_t axis);
ct_tensor ct_stack(const ct_tensor *tensors, int count, int64_t axis);
ct_tensor ct_slice(ct_tensor t, int64_t axis, int64_t start, int64_t end, int64_t step);
ct_tensor ct_select(ct_tensor t, int64_t axis, int64_t index);
ct_tensor ct_index_select(ct_tensor t, int64_t axis, ct_tensor index);
ct_tensor ct_gather(ct_tensor t, int64_t axis, ct_tensor index);
ct_tensor ct_index_add(ct_tensor t, int64_t axis, ct_tensor index, ct_tensor source);
ct_tensor ct_flip(ct_tensor t, int64_t axis);
ct_tensor ct_tril(ct_tensor t, int64_t diagonal);
ct_tensor ct_diagonal(ct_tensor t);
ct_tensor ct_one_hot(ct_tensor t, int64_t classes);
ct_tensor ct_nonzero(ct_tensor t);
/// Pads with a constant; `pads` runs from the last axis backwards, two per axis (before, after).
ct_tensor ct_pad(ct_tensor t, const int64_t *pads, int pad_count, double value);

// ---- Linear algebra -----------------------------------------------------------------------------------------------------
ct_tensor ct_cholesky(ct_tensor t);
ct_tensor ct_solve_triangular(ct_tensor a, ct_tensor b, bool upper);
ct_tensor ct_inverse(ct_tensor t);
int ct_eigh(ct_tensor t, ct_tensor *values, ct_tensor *vectors);
ct_tensor ct_cdist(ct_tensor a, ct_tensor b);

// ---- Layers: an optional tensor may be NULL ----------------------------------------------------------------------------------
ct_tensor ct_linear(ct_tensor x, ct_tensor weight, ct_tensor bias, bool relu);
ct_tensor ct_conv2d(ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding);
ct_tensor ct_conv_transpose2d(
  ct_tensor x, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t output_padding);
/// Batch normalisation, then `x + residual` where given, then ReLU where `relu` is true, then maxima over `pool x pool` cells
/// where `pool` is above 1; fused on the CPU. In training the running statistics are updated in place.
ct_tensor ct_batch_norm(
  ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, ct_tensor residual,
  bool relu, int64_t pool, bool training, double momentum, double epsilon);
ct_tensor ct_max_pool2d(ct_tensor x, int64_t size, int64_t stride);
ct_tensor ct_avg_pool2d(ct_tensor x, int64_t size, int64_t stride);
ct_tensor ct_adaptive_avg_pool2d(ct_tensor x, int64_t height, int64_t width);
ct_tensor ct_upsample_nearest2d(ct_tensor x, int64_t factor);
ct_tensor ct_upsample_bilinear2d(ct_tensor x, int64_t factor);
ct_tensor ct_softmax(ct_tensor x, int64_t axis);
ct_tensor ct_log_softmax(ct_tensor x, int64_t axis);

// ---- Losses: `reduction` 0 none, 1 mean, 2 sum ---------------------------------------------------------------------------------
ct_tensor ct_mse(ct_tensor x, ct_tensor target, int reduction);
ct_tensor ct_huber(ct_tensor x, ct_tensor target, double delta, int reduction);
ct_tensor ct_bce(ct_tensor x, ct_tensor target, int reduction);
ct_tensor ct_bce_with_logits(ct_tensor x, ct_tensor target, int reduction);
ct_tensor ct_cross_entropy(ct_tensor scores, ct_tensor labels, int reduction);

// ---- Autograd ------------------------------------------------------------------------------------------------------------------
int ct_set_requires_grad(ct_tensor t, bool on);
bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool on);
/// Computes the gradients of a scalar. `gradients[i]` is NULL where the scalar does not depend on `inputs[i]`. A graph that is retained
/// can be gone through again.
int ct_grad(
  ct_tensor scalar, const ct_tensor *inputs, int count, bool retain_graph, bool create_graph, ct_tensor *gradients);
/// The values `[n]`, whose i-th has row i of `gradients` as its gradient by row i of `input`, both `[n, …]`. Second derivatives
/// are refused when they are taken.
ct_tensor ct_given_gradients(ct_tensor values, ct_tensor input, ct_tensor gradients);

// ---- Recording of operations -----------------------------------------------------------------------------------------------------
/// Begins to record the operations of this thread; `names` are how expressions call `tensors`.
int ct_trace_begin(const ct_tensor *tensors, const char *const *names, int count);
/// Ends the recording and returns a line for each operation, then one for `outputs`, or NULL for what cannot be written down:
/// names of results, the call in PyTorch's notation, the names that it uses, and `changes` where it works in place, separated by
/// tabs. Whole numbers stand in braces. The caller frees the text.
char *ct_trace_end(const ct_tensor *outputs, int count);
void ct_trace_free(char *text);
/// The tensors `c0`, `c1`, … of the last recording, which it met without having seen how they were made.
int ct_trace_constant_count(void);
ct_tensor ct_trace_constant(int index);

// ---- Optimisers: one fused step over all parameters of a group --------------------------------------------------------------------
int ct_fused_adam(
  const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *first_moments,
  const ct_tensor *second_moments, const ct_tensor *steps, int count, double rate, double beta1, double beta2,
  double decay, double epsilon, bool decoupled_decay);
int ct_fused_sgd(
  const ct_tensor *parameters, const ct_tensor *gradients, const ct_tensor *momenta, int count, double rate,
  double momentum, double decay, bool nesterov, bool first_step);
/// Returns the common Euclidean norm of all gradients, a double; the handles then hold gradients scaled so that it is at
/// most `limit` (nothing is scaled for an infinite one).
ct_tensor ct_clip_gradients(const ct_tensor *gradients, int count, double limit);

#ifdef __cplusplus
}
#endif
