// Functions compiled for the widest vectors of the machine.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
// The package is built for any x86-64; the loader picks the widest vectors that the machine has.
#define WIDEST __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST
#endif
#define INLINE inline __attribute__((always_inline))
