#include <sstream>

#include <tapedeck/optim/internal/archive_fields.h>
#include <tapedeck/optim/optimizer.h>
#include <tapedeck/serialize/archive.h>

// An optimiser in an archive: "optimizer", its name; "param_groups.size"; for each group
// "param_groups.<i>.params", the numbers of its parameters counted through all groups, and
// "param_groups.<i>.options.<field>"; for each parameter with state "state.<number>.<field>".
namespace tapedeck::optim {

namespace {

using serialize::InputArchive;
using serialize::OutputArchive;

class Writer final : public FieldVisitor {
 public:
  explicit Writer(OutputArchive& archive) : archive_(archive) {}

  void field(const char* name, bool& value) override { archive_.write(name, IValue(value)); }
  void field(const char* name, std::int64_t& value) override {
    archive_.write(name, IValue(value));
  }
  void field(const char* name, double& value) override { archive_.write(name, IValue(value)); }
  void field(const char* name, std::tuple<double, double>& value) override {
    archive_.write(name, IValue(std::vector<double>{std::get<0>(value), std::get<1>(value)}));
  }
  void field(const char* name, std::vector<double>& value) override {
    archive_.write(name, IValue(value));
  }
  void field(const char* name, std::optional<std::int64_t>& value) override {
    archive_.write(name, value ? IValue(*value) : IValue());
  }
  void field(const char* name, std::optional<std::string>& value) override {
    archive_.write(name, value ? IValue(*value) : IValue());
  }
  void field(const char* name, Variable& value) override {
    if (value.defined()) archive_.write(name, value, /*is_buffer=*/true);
  }
  void field(const char* name, std::deque<Variable>& value) override {
    archive_.write(name, IValue(std::vector<Variable>(value.begin(), value.end())));
  }

 private:
  OutputArchive& archive_;
};

class Reader final : public FieldVisitor {
 public:
  explicit Reader(InputArchive& archive) : archive_(archive) {}

  void field(const char* name, bool& value) override { value = read(name).toBool(); }
  void field(const char* name, std::int64_t& value) override { value = read(name).toInt(); }
  void field(const char* name, double& value) override { value = read(name).toDouble(); }
  void field(const char* name, std::tuple<double, double>& value) override {
    const std::vector<double> pair = read(name).toDoubleVector();
    TAPEDECK_CHECK(pair.size() == 2, "load: '", name, "' has ", pair.size(), " values, expected 2");
    value = {pair[0], pair[1]};
  }
  void field(const char* name, std::vector<double>& value) override {
    value = read(name).toDoubleVector();
  }
  void field(const char* name, std::optional<std::int64_t>& value) override {
    const IValue v = read(name);
    value = v.isNone() ? std::nullopt : std::optional(v.toInt());
  }
  void field(const char* name, std::optional<std::string>& value) override {
    const IValue v = read(name);
    value = v.isNone() ? std::nullopt : std::optional(v.toStringRef());
  }
  void field(const char* name, Variable& value) override {
    value = {};
    archive_.try_read(name, value, /*is_buffer=*/true);
  }
  void field(const char* name, std::deque<Variable>& value) override {
    const IValue list = read(name);
    value.assign(list.toTensorVector().begin(), list.toTensorVector().end());
  }

 private:
  IValue read(const char* name) {
    IValue value;
    archive_.read(name, value);
    return value;
  }

  InputArchive& archive_;
};

// Compares the tensors of a state with their parameter.
class ShapeCheck final : public FieldVisitor {
 public:
  ShapeCheck(const InputArchive& archive, const Variable& parameter, std::size_t number)
      : archive_(archive), parameter_(parameter), number_(number) {}

  void field(const char*, bool&) override {}
  void field(const char*, std::int64_t&) override {}
  void field(const char*, double&) override {}
  void field(const char*, std::tuple<double, double>&) override {}
  void field(const char*, std::vector<double>&) override {}
  void field(const char*, std::optional<std::int64_t>&) override {}
  void field(const char*, std::optional<std::string>&) override {}
  void field(const char*, std::deque<Variable>&) override {}
  void field(const char* name, Variable& value) override {
    if (!value.defined()) return;
    const Array &state = value.array(), &p = parameter_.array();
    TAPEDECK_CHECK(state.sizes() == p.sizes() && state.dtype() == p.dtype(),
                   "load: ", archive_.source(), ": the state '", name, "' of parameter ", number_,
                   " has shape ", state.sizes().ref(), " and dtype ", state.dtype(), ", expected ",
                   p.sizes().ref(), " and ", p.dtype());
  }

 private:
  const InputArchive& archive_;
  const Variable& parameter_;
  std::size_t number_;
};

}  // namespace

void save_fields(OutputArchive& archive, const ShowFields& show) {
  Writer writer(archive);
  show(writer);
}

void load_fields(InputArchive& archive, const ShowFields& show) {
  OutputArchive before;
  save_fields(before, show);
  try {
    Reader reader(archive);
    show(reader);
  } catch (...) {
    std::stringstream bytes;
    before.save_to(bytes);
    InputArchive back;
    back.load_from(bytes);
    Reader reader(back);
    show(reader);
    throw;
  }
}

void OptimizerParamState::serialize(OutputArchive& archive) const {
  save_fields(archive,
              [this](FieldVisitor& v) { const_cast<OptimizerParamState*>(this)->fields(v); });
}
void OptimizerParamState::serialize(InputArchive& archive) {
  load_fields(archive, [this](FieldVisitor& v) { fields(v); });
}
void OptimizerOptions::serialize(OutputArchive& archive) const {
  save_fields(archive, [this](FieldVisitor& v) { const_cast<OptimizerOptions*>(this)->fields(v); });
}
void OptimizerOptions::serialize(InputArchive& archive) {
  load_fields(archive, [this](FieldVisitor& v) { fields(v); });
}

void Optimizer::save(OutputArchive& archive) const {
  archive.write("optimizer", IValue(name()));
  OutputArchive groups, states;
  groups.write("size", IValue(static_cast<std::int64_t>(param_groups_.size())));
  std::int64_t number = 0;
  for (std::size_t i = 0; i < param_groups_.size(); ++i) {
    OutputArchive group, options;
    std::vector<std::int64_t> numbers;
    for (const Variable& p : param_groups_[i].params()) {
      if (const auto found = state_.find(p); found != state_.end()) {
        OutputArchive state;
        found->second->serialize(state);
        states.write(std::to_string(number), state);
      }
      numbers.push_back(number++);
    }
    param_groups_[i].options().serialize(options);
    group.write("params", IValue(numbers));
    group.write("options", options);
    if (param_groups_[i].initial_lr())
      group.write("initial_lr", IValue(*param_groups_[i].initial_lr()));
    groups.write(std::to_string(i), group);
  }
  archive.write("param_groups", groups);
  archive.write("state", states);
}

void Optimizer::load(InputArchive& archive) {
  load_states(archive, [this] { return new_state(); });
}

void Optimizer::load_states(
    InputArchive& archive, const std::function<std::unique_ptr<OptimizerParamState>()>& new_state) {
  IValue value;
  archive.read("optimizer", value);
  TAPEDECK_CHECK(value.toStringRef() == name(), "load: ", archive.source(), " holds the state of ",
                 value.toStringRef(), ", expected ", name());
  InputArchive groups, states;
  archive.read("param_groups", groups);
  const bool any_state = archive.try_read("state", states);
  groups.read("size", value);
  TAPEDECK_CHECK(value.toInt() == static_cast<std::int64_t>(param_groups_.size()),
                 "load: ", archive.source(),
                 ": loaded state dict has a different number of parameter groups (", value.toInt(),
                 ", expected ", param_groups_.size(), ")");

  std::vector<std::shared_ptr<OptimizerOptions>> new_options;
  std::vector<std::optional<double>> initial_lrs;
  auto new_states = std::make_shared<OptimizerState>();
  for (std::size_t i = 0; i < param_groups_.size(); ++i) {
    const std::vector<Variable>& params = param_groups_[i].params();
    InputArchive group, options;
    groups.read(std::to_string(i), group);
    group.read("params", value);
    const std::vector<std::int64_t> numbers = value.toIntVector();
    TAPEDECK_CHECK(numbers.size() == params.size(), "load: ", archive.source(),
                   ": loaded state dict contains a parameter group that has a different size than "
                   "the optimizer's parameter group (group ",
                   i, " with ", numbers.size(), " parameters, expected ", params.size(), ")");
    new_options.push_back(param_groups_[i].options().clone());
    group.read("options", options);
    new_options.back()->serialize(options);
    new_options.back()->check();
    initial_lrs.push_back(group.try_read("initial_lr", value) ? std::optional(value.toDouble())
                                                              : std::nullopt);
    for (std::size_t k = 0; k < params.size(); ++k) {
      InputArchive archived;
      if (!any_state || !states.try_read(std::to_string(numbers[k]), archived)) continue;
      std::unique_ptr<OptimizerParamState> state = new_state();
      TAPEDECK_CHECK(state, "load: ", archive.source(), " holds state of parameters, and ", name(),
                     " keeps none");
      state->serialize(archived);
      if (state->mirrors_parameter()) {
        ShapeCheck check(archive, params[k], static_cast<std::size_t>(numbers[k]));
        state->fields(check);
      }
      new_states->emplace(ParamKey(params[k]), std::move(state));
    }
  }
  // Handed over only now, so that an error above changes nothing.
  archive.defer([this, new_options, initial_lrs, new_states] {
    for (std::size_t i = 0; i < new_options.size(); ++i) {
      param_groups_[i].set_options(new_options[i]->clone());
      param_groups_[i].set_initial_lr(initial_lrs[i]);
    }
    state_ = std::move(*new_states);
  });
}

OutputArchive& operator<<(OutputArchive& archive, const Optimizer& optimizer) {
  optimizer.save(archive);
  return archive;
}
InputArchive& operator>>(InputArchive& archive, Optimizer& optimizer) {
  try {
    optimizer.load(archive);
  } catch (const Error& error) {
    // Options say what is wrong with them, but not where they came from.
    const std::string text = error.what();
    if (text.find(archive.source()) != std::string::npos) throw;
    tapedeck::detail::fail(str("load: ", archive.source(), ": ", text));
  }
  return archive;
}

}  // namespace tapedeck::optim
