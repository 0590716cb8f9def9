#include <cstdlib>
#include <iostream>
#include <string_view>

#include <gmock/gmock.h>

namespace {

// CTest's code for a program that was skipped (see tests/CMakeLists.txt).
constexpr int kSkipped = 77;

// Whether the program is to run as on a CPU with AVX2 only, and runs on one: all is the same then
// as without asking.
bool runs_as_ever() {
#ifdef __x86_64__
  const char* const wanted = std::getenv("TAPEDECK_CPU_CAPABILITY");
  return wanted && std::string_view(wanted) == "avx2" && !__builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  if (runs_as_ever()) {
    std::cout << "skipped: without AVX-512 the program runs so anyway\n";
    return kSkipped;
  }
  return RUN_ALL_TESTS();
}
