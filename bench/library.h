#pragma once

// What a benchmark measures: the same source is compiled against tapedeck and, where it is
// installed, against libtorch (TAPEDECK_BENCH_LIBTORCH), so that both do exactly the same.

#ifdef TAPEDECK_BENCH_LIBTORCH
#include <torch/torch.h>
namespace lib = torch;
namespace bench {
inline constexpr bool kIsPeer = true;
inline void set_conv_precision(const char*) {}  // it has one only
}  // namespace bench
#else
#include <tapedeck/tapedeck.h>
namespace lib = tapedeck;
namespace bench {
inline constexpr bool kIsPeer = false;
inline void set_conv_precision(const char* precision) {
  tapedeck::set_float32_conv_precision(precision);
}
}  // namespace bench
#endif
