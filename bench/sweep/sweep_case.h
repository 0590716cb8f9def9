#pragma once

#include <functional>
#include <string>

namespace bench {

/// What a sweep measures: `make` prepares the operands and gives what is timed.
struct SweepCase {
  std::string name;
  std::string kind;  ///< what the summary groups it by
  std::function<std::function<void()>()> make;
};

}  // namespace bench
