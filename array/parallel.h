#pragma once

#include <cstdint>
#include <type_traits>

namespace tapedeck {

/// Threads that one operation may use, the caller's among them. Default: TAPEDECK_NUM_THREADS, else
/// OMP_NUM_THREADS, else the CPUs this process may run on.
int get_num_threads();
/// \throws Error unless positive.
void set_num_threads(int threads);
/// Operations never run beside each other here: always 1, and setting it changes nothing.
inline int get_num_interop_threads() { return 1; }
inline void set_num_interop_threads(int) {}
/// Nothing to prepare: threads start with the first operation that uses them.
inline void init_num_threads() {}

namespace detail {

/// Calls body(context, begin, end) for the chunks [0, grain), [grain, 2 grain), ... of [0, n).
void run_chunks(std::int64_t n, std::int64_t grain, void* context,
                void (*body)(void* context, std::int64_t begin, std::int64_t end));
/// True inside a parallel_for body or a thread of a data loader: further ones run in line.
bool in_parallel_region();

}  // namespace detail

/// Calls body(begin, end) over consecutive chunks of `grain` elements that cover [0, n), on several
/// threads where there is more than one chunk. The chunks depend on n and grain alone, never on the
/// number of threads: a body that reduces within its chunk gives the same bits on any machine. An
/// exception from a body reaches the caller after the running chunks have ended.
template <typename Body>
void parallel_for(std::int64_t n, std::int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(std::int64_t{0}, n);
    return;
  }
  using B = std::remove_reference_t<Body>;
  detail::run_chunks(n, grain, const_cast<void*>(static_cast<const void*>(&body)),
                     [](void* context, std::int64_t begin, std::int64_t end) {
                       (*static_cast<B*>(context))(begin, end);
                     });
}

/// While it lives, parallel_for on this thread runs in line. For threads that are many already.
class SerialGuard {
 public:
  SerialGuard();
  ~SerialGuard();
  SerialGuard(const SerialGuard&) = delete;
  SerialGuard& operator=(const SerialGuard&) = delete;

 private:
  bool previous_;
};

}  // namespace tapedeck
