// Splits work over the threads that libtorch's own operations use.
#pragma once
#include <cstdint>

namespace bridge {

/// Returns the number of pieces that `parallel` uses for `count` items of at least `grain` items each.
int pieces(int64_t count, int64_t grain);

/// Calls `body(piece, begin, end)` for `pieces` even parts of `0 ..< count`, on as many threads. The split depends on the
/// number of threads alone, so sums made piece by piece are the same each time.
void parallel(int pieces, int64_t count, void (*body)(void *context, int piece, int64_t begin, int64_t end), void *context);

template <typename Body>
void parallel(int pieces, int64_t count, Body &&body) {
  parallel(
    pieces, count,
    [](void *context, int piece, int64_t begin, int64_t end) { (*static_cast<Body *>(context))(piece, begin, end); },
    &body);
}

}  // namespace bridge
