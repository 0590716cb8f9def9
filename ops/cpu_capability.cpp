#include <tapedeck/ops/cpu_capability.h>

#include <tapedeck/ops/kernels/cpu_capability.h>

namespace tapedeck {

std::string_view get_cpu_capability() { return kernels::cpu_capability(); }

}  // namespace tapedeck
