#pragma once

// What a benchmark measures: the same source is compiled against tapedeck and, where it is
// installed, against libtorch (TAPEDECK_BENCH_LIBTORCH), so that both do exactly the same.

#ifdef TAPEDECK_BENCH_LIBTORCH
#include <torch/torch.h>
namespace lib = torch;
namespace bench {
inline constexpr bool kIsPeer = true;
}
#else
#include <tapedeck/tapedeck.h>
namespace lib = tapedeck;
namespace bench {
inline constexpr bool kIsPeer = false;
}
#endif
