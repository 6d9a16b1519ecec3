// On the tensors of CTorch and by its rules.
#pragma once
#include <stdbool.h>

/// That of ctorch.h.
typedef struct ct_tensor_opaque *ct_tensor;

#ifdef __cplusplus
extern "C" {
#endif

/// The balls that weights can be projected onto. Groups are the rows of a matrix or its columns.
typedef enum sparse_sae_ball {
  /// Sum of magnitudes.
  SPARSE_SAE_L1 = 0,
  /// Sum of magnitudes, by Algorithm 1 of Barlaud & Guyard 2021: the groups' norms first, then each group.
  SPARSE_SAE_L11 = 1,
  /// Root of the sum over groups of squared sums of magnitudes.
  SPARSE_SAE_L12 = 2,
  /// Sum over groups of Euclidean norms.
  SPARSE_SAE_L21 = 3
} sparse_sae_ball;
/// Returns 0, or another status where the weights are not finite or the ball does not fit; they keep their values then.
int sparse_sae_project(ct_tensor t, sparse_sae_ball ball, double radius, bool columns);

#ifdef __cplusplus
}
#endif
