#include <tapedeck/ops/cpu_capability.h>

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace tapedeck {
namespace {

TEST(CpuCapability, IsNoMoreThanTheEnvironmentAllows) {
  const char* const wanted = std::getenv("TAPEDECK_CPU_CAPABILITY");
  const std::string got(get_cpu_capability());
  if (!wanted) {
    EXPECT_TRUE(got == "AVX512" || got == "AVX2" || got == "DEFAULT") << got;
  } else if (std::string(wanted) == "default") {
    EXPECT_EQ(got, "DEFAULT");
  } else if (std::string(wanted) == "avx2") {
    EXPECT_NE(got, "AVX512");
  }
}

// Every loop is chosen when it is first called, by an index that has to stay.
TEST(CpuCapability, IsNotChangedByAskingForIt) {
  const std::size_t chosen = hwy::GetChosenTarget().GetIndex();
  get_cpu_capability();
  EXPECT_EQ(hwy::GetChosenTarget().GetIndex(), chosen);
}

}  // namespace
}  // namespace tapedeck
