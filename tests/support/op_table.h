#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <tapedeck/tapedeck.h>

namespace tapedeck::testing_support {

using Shape = std::vector<std::int64_t>;
using Shapes = std::vector<Shape>;  ///< one for each input

/// Where the values of an input are drawn from.
struct Domain {
  double low = -2, high = 2;
  std::vector<double> kinks = {};  ///< no value comes nearer than 0.05 to one of these
};

/// One row: an operation and the inputs that it is tested with. Each list of shapes becomes a case;
/// every case with more than one element also runs with non-contiguous inputs.
struct OpRow {
  std::string name;
  std::function<autograd::variable_list(const autograd::variable_list&)> op;
  std::vector<Shapes> shapes;
  std::vector<Domain> domains = {};  ///< one for each input, or one for all
  bool second_order = true;  ///< false: the second derivative does not exist (say why in the row)
  double float32_tolerance = 2e-5;  ///< |f32 - f64| <= this (1 + |f64|), forward and gradient
  double atol = 1e-6, rtol = 1e-4;  ///< of gradcheck
};

/// Wraps functions of one, two, three tensors, or of a list, that return a tensor or a list.
OpRow row(std::string name, std::function<Variable(const Variable&)> op, std::vector<Shapes> shapes,
          std::vector<Domain> domains = {});
OpRow row(std::string name, std::function<Variable(const Variable&, const Variable&)> op,
          std::vector<Shapes> shapes, std::vector<Domain> domains = {});
OpRow row(std::string name,
          std::function<Variable(const Variable&, const Variable&, const Variable&)> op,
          std::vector<Shapes> shapes, std::vector<Domain> domains = {});
OpRow list_row(std::string name,
               std::function<autograd::variable_list(const autograd::variable_list&)> op,
               std::vector<Shapes> shapes, std::vector<Domain> domains = {});
/// An elementwise operation: shapes {2, 3, 5}, empty, scalar, and broadcast ones are supplied.
OpRow pointwise(std::string name, std::function<Variable(const Variable&)> op, Domain domain = {});
OpRow pointwise(std::string name, std::function<Variable(const Variable&, const Variable&)> op,
                std::vector<Domain> domains = {});
OpRow pointwise(std::string name,
                std::function<Variable(const Variable&, const Variable&, const Variable&)> op,
                std::vector<Domain> domains = {});

/// A row with one choice of shapes and layout.
struct OpCase {
  OpRow row;
  Shapes shapes;
  bool strided = false;
};
inline void PrintTo(const OpCase& op_case, std::ostream* out) { *out << op_case.row.name; }
std::vector<OpCase> cases_of(const std::vector<OpRow>& rows);
std::string case_name(const ::testing::TestParamInfo<OpCase>& info);

/// Values of a domain in float64; where `strided`, every axis has gaps and they lie in reverse.
Variable random_tensor(const Shape& shape, const Domain& domain, std::uint64_t seed,
                       bool strided = false, ScalarType dtype = kFloat64);

class OpTable : public ::testing::TestWithParam<OpCase> {
 protected:
  autograd::variable_list inputs(bool strided) const;
  void check_first_order() const;
  void check_second_order() const;
  void check_float32() const;
  void check_layout() const;
};

/// Runs every check on every row of `rows` in this test binary.
#define TAPEDECK_OP_TABLE(Suite, rows)                                                       \
  class Suite : public ::tapedeck::testing_support::OpTable {};                              \
  TEST_P(Suite, Gradcheck) { check_first_order(); }                                          \
  TEST_P(Suite, Gradgradcheck) { check_second_order(); }                                     \
  TEST_P(Suite, Float32AgreesWithFloat64) { check_float32(); }                               \
  TEST_P(Suite, LayoutDoesNotMatter) { check_layout(); }                                     \
  INSTANTIATE_TEST_SUITE_P(Ops, Suite,                                                       \
                           ::testing::ValuesIn(::tapedeck::testing_support::cases_of(rows)), \
                           ::tapedeck::testing_support::case_name)

}  // namespace tapedeck::testing_support
