// For kernels outside libtorch's operations: while operations are recorded they have to be made of those.
#pragma once

namespace bridge {

/// Whether the operations of this thread are being recorded.
bool isTracing();

}  // namespace bridge
