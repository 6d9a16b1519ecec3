// On the tensors of CTorch and by its rules.
#pragma once
#include <stdint.h>

/// That of ctorch.h.
typedef struct ct_tensor_opaque *ct_tensor;

#ifdef __cplusplus
extern "C" {
#endif

/// For images `[n, c, h, w]` and filters `[k, s, s]`: the sum over filters of the mean square of each image's response,
/// `[n]`; every channel on its own.
ct_tensor csae_filter_power(ct_tensor x, ct_tensor kernels, int64_t padding);

#ifdef __cplusplus
}
#endif
