// Sums over kernels and over pairs of points, on the tensors of CTorch and by its rules.
#pragma once
#include <stdint.h>

/// The handle of ctorch.h.
typedef struct ct_tensor_opaque *ct_tensor;

#ifdef __cplusplus
extern "C" {
#endif

/// `log Σ_i w_i exp(−‖x − p_i‖²/2)` for places `[groups, places, d]`, as `[groups, places]`. Kernels are
/// `[groups, d + 1, count]`: the points of each group as columns, and below each `log w − ‖p‖²/2`. `excluded` holds for
/// each place the number of a kernel that does not count, `[groups, places]` Int64; NULL where all do.
ct_tensor cs_kernel_log_sums(ct_tensor places, ct_tensor kernels, ct_tensor excluded);
/// Numbers of kernels, drawn by their shares of that sum with uniform draws `[groups, places]`. Coordinate `axis` of the
/// places does not count; -1 for none.
ct_tensor cs_kernel_choices(ct_tensor places, ct_tensor kernels, ct_tensor uniforms, int64_t axis);
/// The silhouette of each point of `[n, d]`, `[n]` in Float64, for labels from 0 to `classes - 1`.
ct_tensor cs_silhouettes(ct_tensor x, ct_tensor labels, int64_t classes);
/// The Euclidean distance of each point of `[n, d]` to its k-th nearest other one, `[n]`, for k from 1 to `n - 1`.
ct_tensor cs_neighbor_distances(ct_tensor x, int64_t k);
/// The places of the k points of `[n, d]` that are nearest to each query of `[m, d]`, nearest first, `[m, k]` Int64; k from 1 to n.
ct_tensor cs_nearest_neighbors(ct_tensor queries, ct_tensor points, int64_t k);
/// For balls around centres `[n, d]` of radii `[n]`, and points `[m, d]`: how many points are in each ball, on its surface too,
/// then how many balls each point is in, `[n + m]` Int64.
ct_tensor cs_ball_counts(ct_tensor centers, ct_tensor radii, ct_tensor points);

#ifdef __cplusplus
}
#endif
