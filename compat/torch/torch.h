#pragma once

// For programs written for libtorch: its namespaces and macros, over tapedeck. Of what libtorch
// has beside its C++ frontend (TorchScript, dispatch keys, CUDA) nothing is here.

// libtorch's header brings most of the standard library along, and programs have come to rely on
// it. Here is what a program plausibly uses without naming it; chrono (its clocks and durations
// come with mutex) and thread, which nearly all who use them include, would cost every file a tenth
// of a second.
#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <ostream>
#include <queue>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <tapedeck/data/chunk_dataset.h>
#include <tapedeck/tapedeck.h>

#include <torch/blob.h>
#include <torch/context.h>
#include <torch/dispatch.h>
#include <torch/expand.h>
#include <torch/functions.h>
#include <torch/macros.h>
#include <torch/names.h>
#include <torch/optim_schedulers.h>
#include <torch/optim_serialize.h>
#include <torch/out.h>
#include <torch/tempfile.h>
#include <torch/traits.h>
