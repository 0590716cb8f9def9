#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::optim {

/// Is shown the members of an options or state struct, by name: what saves, loads, compares and
/// prints them.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void field(const char* name, bool& value) = 0;
  virtual void field(const char* name, std::int64_t& value) = 0;
  virtual void field(const char* name, double& value) = 0;
  virtual void field(const char* name, std::tuple<double, double>& value) = 0;
  virtual void field(const char* name, std::vector<double>& value) = 0;
  virtual void field(const char* name, std::optional<std::int64_t>& value) = 0;
  virtual void field(const char* name, std::optional<std::string>& value) = 0;
  virtual void field(const char* name, Variable& value) = 0;
  virtual void field(const char* name, std::deque<Variable>& value) = 0;
};

}  // namespace tapedeck::optim
