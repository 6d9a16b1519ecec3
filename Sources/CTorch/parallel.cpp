#include "parallel.h"

#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <algorithm>

namespace {

// libtorch runs on GNU OpenMP. This file is compiled without -fopenmp, which a package that others depend on may not ask
// for, so it calls the same entry points that the compiler would.
using Region = void (*)(void *);
using Parallel = void (*)(Region, void *, unsigned threads, unsigned flags);
using ThreadNumber = int (*)();

const auto gompParallel = reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
const auto threadNumber = reinterpret_cast<ThreadNumber>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
const auto teamSize = reinterpret_cast<ThreadNumber>(dlsym(RTLD_DEFAULT, "omp_get_num_threads"));

struct Work {
  int pieces;
  int64_t count;
  void (*body)(void *, int, int64_t, int64_t);
  void *context;

  void run(int piece) const {
    body(context, piece, count * piece / pieces, count * (piece + 1) / pieces);
  }
};

}  // namespace

void ct_flush_subnormals(void) {
  // Each thread has the setting for itself, those of a team too.
  const int threads = at::get_num_threads();
  bridge::parallel(
    threads, threads, [](void *, int, int64_t, int64_t) { at::globalContext().setFlushDenormal(true); }, nullptr);
  at::globalContext().setFlushDenormal(true);
}

int bridge::pieces(int64_t count, int64_t grain) {
  return static_cast<int>(std::clamp<int64_t>(count / std::max<int64_t>(grain, 1), 1, at::get_num_threads()));
}

void bridge::parallel(
  int pieces, int64_t count, void (*body)(void *, int, int64_t, int64_t), void *context) {
  Work work{pieces, count, body, context};
  if (pieces == 1 || !gompParallel || !threadNumber || !teamSize) {
    for (int piece = 0; piece < pieces; piece++) work.run(piece);
    return;
  }
  gompParallel(
    [](void *pointer) {
      auto &work = *static_cast<Work *>(pointer);
      // The team may be smaller than asked for; the pieces stay the same.
      for (int piece = threadNumber(); piece < work.pieces; piece += teamSize()) work.run(piece);
    },
    &work, static_cast<unsigned>(pieces), 0);
}
