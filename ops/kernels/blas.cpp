#include <tapedeck/ops/kernels/blas.h>

// Present only where the BLAS is OpenBLAS, and where that was built on OpenMP.
extern "C" {
__attribute__((weak)) int openblas_get_parallel(void);
__attribute__((weak)) void openblas_set_num_threads(int);
__attribute__((weak)) int omp_get_max_threads(void);
__attribute__((weak)) void omp_set_num_threads(int);
}

namespace tapedeck::kernels {

namespace {

constexpr int kOpenBlasOnThreads = 1, kOpenBlasOnOpenMp = 2;

int openblas_kind() {
  static const int kind = [] {
    const int parallel = openblas_get_parallel ? openblas_get_parallel() : 0;
    if (parallel == kOpenBlasOnThreads && openblas_set_num_threads) openblas_set_num_threads(1);
    return parallel;
  }();
  return kind;
}

}  // namespace

// The OpenMP build asks OpenMP for this thread's limit at each call, so it is lowered and put back:
// the caller's own parallel regions keep their threads.
SerialBlas::SerialBlas() {
  if (openblas_kind() != kOpenBlasOnOpenMp || !omp_get_max_threads || !omp_set_num_threads) return;
  if (const int threads = omp_get_max_threads(); threads > 1) {
    restore_omp_threads_ = threads;
    omp_set_num_threads(1);
  }
}

SerialBlas::~SerialBlas() {
  if (restore_omp_threads_ > 0) omp_set_num_threads(restore_omp_threads_);
}

}  // namespace tapedeck::kernels
