#include <tapedeck/ops/cpu_capability.h>

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace tapedeck {
namespace {

TEST(CpuCapability, IsNoMoreThanTheEnvironmentAllows) {
  const char* const wanted = std::getenv("TAPEDECK_CPU_CAPABILITY");
  const std::string got(get_cpu_capability());
  if (!wanted)
    EXPECT_TRUE(got == "AVX512" || got == "AVX2" || got == "DEFAULT") << got;
  else if (std::string(wanted) == "default")
    EXPECT_EQ(got, "DEFAULT");
  else
    EXPECT_NE(got, "AVX512");
}

}  // namespace
}  // namespace tapedeck
