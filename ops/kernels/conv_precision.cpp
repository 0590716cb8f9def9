#include <tapedeck/ops/kernels/conv_precision.h>

#include <atomic>

namespace tapedeck::kernels {

namespace {
std::atomic<ConvPrecision> chosen{ConvPrecision::Highest};
}  // namespace

ConvPrecision float32_conv_precision() { return chosen.load(std::memory_order_relaxed); }

void set_float32_conv_precision(ConvPrecision precision) {
  chosen.store(precision, std::memory_order_relaxed);
}

}  // namespace tapedeck::kernels
