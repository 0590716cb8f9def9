#pragma once

namespace tapedeck::kernels {

/// While it lives, BLAS and LAPACK calls of this thread run on this thread alone: the library
/// splits its work itself, in a partition that does not depend on the number of threads, and a BLAS
/// with threads of its own inside that would oversubscribe the machine. Costs a few stores.
class SerialBlas {
 public:
  SerialBlas();
  ~SerialBlas();
  SerialBlas(const SerialBlas&) = delete;
  SerialBlas& operator=(const SerialBlas&) = delete;

 private:
  int restore_omp_threads_ = 0;
};

}  // namespace tapedeck::kernels
