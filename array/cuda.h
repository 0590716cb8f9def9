#pragma once

#include <cstddef>
#include <cstdint>

#include <tapedeck/array/tensor_options.h>

/// What programs ask before they choose a device: there is none but the CPU.
namespace tapedeck::cuda {

inline bool is_available() { return false; }
inline bool cudnn_is_available() { return false; }
inline std::size_t device_count() { return 0; }
/// Nothing to seed; accepted because programs call it beside tapedeck::manual_seed.
inline void manual_seed(std::uint64_t) {}
inline void manual_seed_all(std::uint64_t) {}
/// \throws Error: there is nothing to wait for.
inline void synchronize(std::int64_t device_index = -1) {
  check_device(Device(kCUDA, static_cast<DeviceIndex>(device_index)), "cuda::synchronize");
}

}  // namespace tapedeck::cuda
