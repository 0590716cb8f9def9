#include <gmock/gmock.h>

#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using testing_support::OpRow;
using testing_support::pointwise;

TAPEDECK_OP_TABLE(CopyOps,
                  (std::vector<OpRow>{
                      pointwise("clone", [](const Variable& x) { return x.clone(); }),
                      pointwise("contiguous", [](const Variable& x) { return x.contiguous(); }),
                  }));

}  // namespace
}  // namespace tapedeck
