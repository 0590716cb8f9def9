#include <tests/support/wild.h>

#include <iostream>

#include <gtest/gtest.h>

namespace tapedeck::testing_support {

void survive(const WildCall& call, int rounds) {
  int values = 0;
  for (int round = 0; round < rounds; ++round) {
    Wild wild(static_cast<std::uint64_t>(round));
    const std::string what = call.name + ", round " + std::to_string(round);
    try {
      for (const Tensor& y : call.call(wild)) {
        ++values;
        if (y.defined() && y.requires_grad()) y.sum().backward();
      }
    } catch (const Error& error) {
      const std::string text = error.what();
      EXPECT_NE(text, "") << what;
      EXPECT_NE(text.rfind("expected a defined tensor", 0), 0) << what << " does not say its name";
    } catch (const std::exception& error) {
      ADD_FAILURE() << what << " threw something else: " << error.what();
    }
  }
  // Some of the calls must be legal, or nothing behind the checks was reached.
  EXPECT_GT(values, 0) << call.name << " never gave a value";
}

}  // namespace tapedeck::testing_support

// AddressSanitizer's allocator says no to absurd sizes, as the system's does, instead of ending the
// program.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
