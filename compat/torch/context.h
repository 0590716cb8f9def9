#pragma once

#include <cstddef>
#include <cstdint>

#include <tapedeck/tapedeck.h>

namespace tapedeck {

/// libtorch's settings of the process. Those of CUDA's libraries and of the number format of
/// products are accepted, and change nothing: results are deterministic and products of the dtype's
/// own precision.
class Context {
 public:
  bool hasCUDA() const { return false; }
  bool hasCuDNN() const { return false; }
  bool hasHIP() const { return false; }
  bool hasMKL() const { return false; }
  bool hasMKLDNN() const { return false; }
  bool hasLAPACK() const { return true; }
  bool hasOpenMP() const { return false; }
  std::int64_t getNumGPUs() const { return 0; }

  void setUserEnabledCuDNN(bool) {}
  void setUserEnabledMkldnn(bool) {}
  void setBenchmarkCuDNN(bool) {}
  void setDeterministicCuDNN(bool) {}
  void setDeterministicAlgorithms(bool, bool /*warn_only*/ = false) {}
  bool deterministicAlgorithms() const { return true; }
  void setAllowTF32CuDNN(bool) {}
  void setAllowTF32CuBLAS(bool) {}

  const Generator& defaultGenerator(Device device) const {
    check_device(device, "defaultGenerator");
    return detail::getDefaultCPUGenerator();
  }
};

inline Context& globalContext() {
  static Context context;
  return context;
}

inline std::size_t getNumGPUs() { return 0; }

}  // namespace tapedeck
