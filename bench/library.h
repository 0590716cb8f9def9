#pragma once

// What a benchmark measures: the same source is compiled against tapedeck and, where it is
// installed, against libtorch (TAPEDECK_BENCH_LIBTORCH), so that both do exactly the same.

#ifdef TAPEDECK_BENCH_LIBTORCH
#include <torch/torch.h>
namespace lib = torch;
#else
#include <tapedeck/tapedeck.h>
namespace lib = tapedeck;
#endif
