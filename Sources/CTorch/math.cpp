#include "bridge.h"

#include <cmath>

using namespace bridge;

#define CT_UNARY(name) \
  ct_tensor ct_##name(ct_tensor t) { \
    return tensor([&] { return open(t).name(); }); \
  }
CT_UNARY(neg)
CT_UNARY(abs)
CT_UNARY(sign)
CT_UNARY(floor)
CT_UNARY(sigmoid)
CT_UNARY(tanh)
CT_UNARY(relu)
CT_UNARY(isfinite)
CT_UNARY(isnan)
CT_UNARY(logical_not)
CT_UNARY(detach)
CT_UNARY(clone)
CT_UNARY(contiguous)
CT_UNARY(all)
CT_UNARY(any)

// Half precision is too coarse for these.
#define CT_WIDE_UNARY(name) \
  ct_tensor ct_##name(ct_tensor t) { \
    return tensor([&] { return wide(open(t)).name(); }); \
  }
CT_WIDE_UNARY(exp)
CT_WIDE_UNARY(log)
CT_WIDE_UNARY(log1p)
CT_WIDE_UNARY(sqrt)
CT_WIDE_UNARY(rsqrt)
CT_WIDE_UNARY(square)
CT_WIDE_UNARY(reciprocal)
CT_WIDE_UNARY(erf)
CT_WIDE_UNARY(erfinv)
CT_WIDE_UNARY(sin)
CT_WIDE_UNARY(cos)
CT_WIDE_UNARY(acos)

ct_tensor ct_softplus(ct_tensor t) {
  return tensor([&] { return at::softplus(wide(open(t))); });
}

#define CT_BINARY(name) \
  ct_tensor ct_##name(ct_tensor a, ct_tensor b) { \
    return tensor([&] { return open(a).name(open(b)); }); \
  }
CT_BINARY(add)
CT_BINARY(sub)
CT_BINARY(mul)
CT_BINARY(div)
CT_BINARY(pow)
CT_BINARY(maximum)
CT_BINARY(minimum)
CT_BINARY(matmul)
CT_BINARY(eq)
CT_BINARY(ne)
CT_BINARY(lt)
CT_BINARY(le)
CT_BINARY(gt)
CT_BINARY(ge)
CT_BINARY(logical_and)
CT_BINARY(logical_or)

ct_tensor ct_prelu(ct_tensor t, ct_tensor slope) {
  return tensor([&] {
    const auto type = open(t).scalar_type();
    // The slope is a parameter, which stays Float32 where layers compute in half precision.
    return open(t).prelu(at::isReducedFloatingType(type) ? open(slope).to(type) : open(slope));
  });
}

#define CT_SCALAR(name) \
  ct_tensor ct_##name##_scalar(ct_tensor t, double value) { \
    return tensor([&] { return open(t).name(value); }); \
  }
CT_SCALAR(add)
CT_SCALAR(mul)
CT_SCALAR(div)
CT_SCALAR(pow)
CT_SCALAR(eq)
CT_SCALAR(ne)
CT_SCALAR(lt)
CT_SCALAR(le)
CT_SCALAR(gt)
CT_SCALAR(ge)
ct_tensor ct_rsub_scalar(ct_tensor t, double value) {
  return tensor([&] { return at::rsub(open(t), value); });
}
ct_tensor ct_rdiv_scalar(ct_tensor t, double value) {
  return tensor([&] { return open(t).reciprocal() * value; });
}
ct_tensor ct_leaky_relu(ct_tensor t, double slope) {
  return tensor([&] { return at::leaky_relu(open(t), slope); });
}
ct_tensor ct_clamp(ct_tensor t, double low, double high) {
  return tensor([&] {
    std::optional<at::Scalar> least, most;
    if (!std::isinf(low)) least = low;
    if (!std::isinf(high)) most = high;
    return least || most ? at::clamp(open(t), least, most) : open(t);
  });
}
ct_tensor ct_where(ct_tensor condition, ct_tensor a, ct_tensor b) {
  return tensor([&] { return at::where(open(condition), open(a), open(b)); });
}
ct_tensor ct_masked_fill(ct_tensor t, ct_tensor mask, double value) {
  return tensor([&] { return open(t).masked_fill(open(mask), value); });
}

// Reductions

static std::vector<int64_t> axesOrAll(const at::Tensor &t, const int64_t *axes, int count) {
  std::vector<int64_t> result(axes, axes + count);
  if (count == 0)
    for (int64_t axis = 0; axis < t.dim(); axis++) result.push_back(axis);
  return result;
}

#define CT_REDUCE(name) \
  ct_tensor ct_##name(ct_tensor t, const int64_t *axes, int count, bool keep) { \
    return tensor([&] { return at::name(wide(open(t)), axesOrAll(open(t), axes, count), keep); }); \
  }
CT_REDUCE(sum)
CT_REDUCE(mean)
CT_REDUCE(amax)
CT_REDUCE(amin)
CT_REDUCE(logsumexp)

ct_tensor ct_var(ct_tensor t, const int64_t *axes, int count, bool unbiased, bool keep) {
  return tensor([&] { return at::var(wide(open(t)), axesOrAll(open(t), axes, count), unbiased, keep); });
}
ct_tensor ct_argmax(ct_tensor t, int64_t axis) {
  return tensor([&] { return at::argmax(open(t), axis); });
}
ct_tensor ct_argmin(ct_tensor t, int64_t axis) {
  return tensor([&] { return at::argmin(open(t), axis); });
}
ct_tensor ct_cumsum(ct_tensor t, int64_t axis) {
  return tensor([&] { return at::cumsum(open(t), axis); });
}
ct_tensor ct_autocovariance(ct_tensor t, int64_t axis) {
  return tensor([&] {
    const auto centered = open(t) - open(t).mean(axis, /*keepdim=*/true);
    const int64_t count = centered.size(axis);
    int64_t length = 1;  // of the transform: twice the series, so that its end does not meet its start
    while (length < 2 * count) length *= 2;
    const auto spectrum = at::fft_rfft(centered, length, axis);
    return at::fft_irfft(spectrum * spectrum.conj(), length, axis).narrow(axis, 0, count) / count;
  });
}
int ct_sort(ct_tensor t, int64_t axis, bool descending, ct_tensor *values, ct_tensor *indices) {
  return status([&] {
    auto [sorted, order] = at::sort(open(t), /*stable=*/true, axis, descending);
    *values = wrap(sorted);
    *indices = wrap(order);
  });
}

// Linear algebra

ct_tensor ct_cholesky(ct_tensor t) {
  return tensor([&] { return at::linalg_cholesky(open(t)); });
}
ct_tensor ct_solve_triangular(ct_tensor a, ct_tensor b, bool upper) {
  return tensor([&] { return at::linalg_solve_triangular(open(a), open(b), upper); });
}
ct_tensor ct_inverse(ct_tensor t) {
  return tensor([&] { return at::linalg_inv(open(t)); });
}
int ct_eigh(ct_tensor t, ct_tensor *values, ct_tensor *vectors) {
  return status([&] {
    auto [w, v] = at::linalg_eigh(open(t));
    *values = wrap(w);
    *vectors = wrap(v);
  });
}
