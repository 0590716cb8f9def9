// Sums of products over named axes, and distances of vectors.
#include <gtest/gtest.h>

#include <tapedeck/ops/distance.h>
#include <tapedeck/ops/einsum.h>
#include <tests/support/op_table.h>

namespace {

using namespace tapedeck;
using namespace tapedeck::testing_support;

TEST(Einsum, KnownProducts) {
  manual_seed(1);
  const Variable a = randn({2, 3}, kDouble), b = randn({3, 5}, kDouble),
                 x = randn({4, 2, 3}, kDouble);
  EXPECT_TRUE(einsum("ij,jk->ik", {a, b}).allclose(a.mm(b)));
  EXPECT_TRUE(einsum("ij,jk", {a, b}).allclose(a.mm(b)));
  EXPECT_TRUE(einsum("ij->ji", {a}).equal(a.t()));
  EXPECT_TRUE(einsum("ij->", {a}).allclose(a.sum()));
  EXPECT_TRUE(einsum("ii", {a.t().mm(a)}).allclose(a.t().mm(a).trace()));
  EXPECT_TRUE(einsum("ii->i", {a.t().mm(a)}).equal(a.t().mm(a).diagonal()));
  EXPECT_TRUE(einsum("...ij,jk->...ik", {x, b}).allclose(x.matmul(b)));
  EXPECT_TRUE(einsum("bij,bkj->bik", {x, x}).allclose(x.matmul(x.transpose(1, 2))));
  EXPECT_TRUE(einsum("i,j->ij", {a[0], b[0]}).allclose(a[0].outer(b[0])));
  EXPECT_TRUE(einsum("ij,jk,ik->", {a, b, a.mm(b)}).allclose(a.mm(b).square().sum()));
}

TEST(Einsum, OfSmallIntegers) {
  const Variable a = tensor({{1, 2}, {3, 4}}, kInt32);
  // An axis of one operand alone is summed first, to int64.
  EXPECT_TRUE(einsum("ij,i->i", {a, tensor({2, 3}, kInt32)}).equal(tensor({6, 21})));
  EXPECT_EQ(einsum("ij,i->i", {a, tensor({2, 3}, kInt32)}).dtype(), kInt64);
  EXPECT_EQ(einsum("ij,jk->ik", {a, a}).dtype(), kInt32);
}

TEST(Einsum, SaysWhatIsWrong) {
  const Variable a = ones({2, 3});
  EXPECT_THROW(einsum("ij", {a, a}), Error);
  EXPECT_THROW(einsum("ijk", {a}), Error);
  EXPECT_THROW(einsum("i?", {a}), Error);
  EXPECT_THROW(einsum("ij->ik", {a}), Error);
  EXPECT_THROW(einsum("ij->ii", {a}), Error);
  EXPECT_THROW(einsum("ii", {a}), Error);
  EXPECT_THROW(einsum("ij,jk", {a, a}), Error);
  EXPECT_THROW(einsum("..ij", {a}), Error);
  EXPECT_THROW(tensordot(a, a, {0}, {1}), Error);
  EXPECT_THROW(tensordot(a, a, {0, 0}, {0, 1}), Error);
  EXPECT_THROW(cdist(a, ones({2, 2})), Error);
}

TEST(Distance, KnownValues) {
  const Variable a = tensor({{0., 0.}, {3., 4.}}, kDouble);
  EXPECT_TRUE(cdist(a, a).equal(tensor({{0., 5.}, {5., 0.}}, kDouble)));
  EXPECT_TRUE(cdist(a, a, 1).equal(tensor({{0., 7.}, {7., 0.}}, kDouble)));
  EXPECT_EQ(dist(a[0], a[1]).item<double>(), 5);
  EXPECT_EQ(cosine_similarity(a[1], a[1], 0).item<double>(), 1);
  EXPECT_EQ(cosine_similarity(a[0], a[1], 0).item<double>(), 0);
}

std::vector<OpRow> rows() {
  return {
      row("einsum_product",
          [](const Variable& a, const Variable& b) {
            return einsum("bij,bjk->bik", {a, b});
          },
          {{{2, 3, 5}, {2, 5, 7}}, {{2, 0, 5}, {2, 5, 7}}, {{2, 3, 0}, {2, 0, 7}}}),
      row("einsum_broadcast",
          [](const Variable& a, const Variable& b) {
            return einsum("...ij,jk->k...", {a, b});
          },
          {{{2, 3, 5}, {5, 7}}, {{3, 5}, {1, 7}}}),
      row("einsum_diagonal", [](const Variable& a) { return einsum("iji->j", {a}); },
          {{{3, 5, 3}}}),
      row("einsum_three",
          [](const Variable& a, const Variable& b, const Variable& c) {
            return einsum("ij,jk,k->i", {a, b, c});
          },
          {{{2, 3}, {3, 5}, {5}}}),
      row("tensordot",
          [](const Variable& a, const Variable& b) {
            return tensordot(a, b, {0, 2}, {1, 0});
          },
          {{{2, 3, 5}, {5, 2, 7}}}),
      row("cdist", [](const Variable& a, const Variable& b) { return cdist(a, b); },
          {{{2, 3, 5}, {7, 5}}}),
      row("cdist_p3", [](const Variable& a, const Variable& b) { return cdist(a, b, 3); },
          {{{3, 5}, {7, 5}}}, {{0, 1}, {2, 3}}),
      row("dist", [](const Variable& a, const Variable& b) { return dist(a, b, 3); },
          {{{3, 5}, {5}}}, {{0, 1}, {2, 3}}),
      row("cosine_similarity",
          [](const Variable& a, const Variable& b) { return cosine_similarity(a, b, 1); },
          {{{2, 3, 5}, {2, 3, 5}}, {{2, 3}, {1, 3}}}),
  };
}

}  // namespace

TAPEDECK_OP_TABLE(SumsOfProducts, rows());
