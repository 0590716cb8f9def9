#include <ostream>
#include <sstream>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/modules/container/functional.h>
#include <tapedeck/nn/modules/container/module_list.h>
#include <tapedeck/nn/modules/container/parameter_list.h>

namespace tapedeck::nn {

std::shared_ptr<Module> ModuleListImpl::clone(const std::optional<Device>& device) const {
  auto copy = std::make_shared<ModuleListImpl>();
  for (const auto& module : modules_) copy->push_back(module->clone(device));
  copy->train(is_training());
  return copy;
}
void ModuleListImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ModuleList");
}

void ModuleListImpl::push_back(std::shared_ptr<Module> module) {
  register_module(std::to_string(modules_.size()), module);
  modules_.push_back(std::move(module));
}
void ModuleListImpl::insert(std::size_t index, std::shared_ptr<Module> module) {
  TAPEDECK_CHECK_AS(IndexError, index <= size(), "ModuleList: cannot insert at ", index, " of ",
                    size());
  modules_.insert(modules_.begin() + static_cast<std::ptrdiff_t>(index), std::move(module));
  for (std::size_t i = index; i + 1 < size(); ++i) replace_module(std::to_string(i), modules_[i]);
  register_module(std::to_string(size() - 1), modules_.back());
}
std::shared_ptr<Module> ModuleListImpl::ptr(std::size_t index) const {
  TAPEDECK_CHECK_AS(IndexError, index < size(), "ModuleList: Index out of range: ", index, " of ",
                    size(), " modules");
  return modules_[index];
}
void ModuleListImpl::wrong_type(std::size_t index, const std::type_info& wanted) const {
  tapedeck::detail::fail<TypeError>(tapedeck::detail::str("ModuleList: module ", index, " is a ",
                                                          modules_[index]->name(), ", not a ",
                                                          text::of_type(wanted)));
}

std::shared_ptr<Module> ModuleDictImpl::clone(const std::optional<Device>& device) const {
  auto copy = std::make_shared<ModuleDictImpl>();
  for (const auto& item : modules_) copy->insert(item.key(), item.value()->clone(device));
  copy->train(is_training());
  return copy;
}
void ModuleDictImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ModuleDict");
}

ModuleDictImpl::ModuleDictImpl(
    const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& modules) {
  update(modules);
}
ModuleDictImpl::ModuleDictImpl(const Modules& modules) { update(modules); }
std::vector<std::pair<std::string, std::shared_ptr<Module>>> ModuleDictImpl::items() const {
  return modules_.pairs();
}
std::vector<std::string> ModuleDictImpl::keys() const { return modules_.keys(); }
std::vector<std::shared_ptr<Module>> ModuleDictImpl::values() const { return modules_.values(); }
bool ModuleDictImpl::contains(const std::string& key) const noexcept {
  return modules_.contains(key);
}
std::shared_ptr<Module> ModuleDictImpl::operator[](const std::string& key) const {
  return modules_[key];
}
void ModuleDictImpl::update(
    const std::vector<std::pair<std::string, std::shared_ptr<Module>>>& modules) {
  for (const auto& [key, module] : modules) insert(key, module);
}
std::shared_ptr<Module> ModuleDictImpl::pop(const std::string& key) {
  std::shared_ptr<Module> module = modules_[key];
  modules_.erase(key);
  unregister_module(key);
  return module;
}
void ModuleDictImpl::clear() {
  for (const std::string& key : keys()) pop(key);
}
void ModuleDictImpl::insert(const std::string& key, std::shared_ptr<Module> module) {
  if (contains(key)) {
    replace_module(key, module);
    modules_[key] = std::move(module);
  } else {
    register_module(key, module);
    modules_.insert(key, std::move(module));
  }
}
void ModuleDictImpl::wrong_type(const std::string& key, const std::type_info& wanted) const {
  tapedeck::detail::fail<TypeError>(tapedeck::detail::str("ModuleDict: module '", key, "' is a ",
                                                          modules_[key]->name(), ", not a ",
                                                          text::of_type(wanted)));
}

namespace {

const char* python_dtype(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Byte:
      return "torch.uint8";
    case ScalarType::Int:
      return "torch.int32";
    case ScalarType::Long:
      return "torch.int64";
    case ScalarType::Float:
      return "torch.float32";
    case ScalarType::Double:
      return "torch.float64";
    case ScalarType::Bool:
      return "torch.bool";
    case ScalarType::Undefined:
      break;
  }
  return "undefined";
}

// One line for each parameter.
void print_parameters(std::ostream& stream, const char* name,
                      const OrderedDict<std::string, Tensor>& parameters) {
  stream << text::name(name) << "(";
  if (!text::in_python()) {
    stream << "\n";
    for (const auto& item : parameters)
      stream << "(" << item.key() << "): Parameter containing: [" << item.value().scalar_type()
             << " of size " << item.value().sizes() << "]\n";
    stream << ")";
    return;
  }
  const bool one = parameters.size() == 1;
  for (const auto& item : parameters) {
    const Tensor& value = item.value();
    stream << (one ? "  (" : "\n    (") << item.key()
           << "): " << (value.requires_grad() ? "Parameter" : "Tensor") << " containing: ["
           << python_dtype(value.dtype()) << " of size ";
    for (std::int64_t d = 0; d < value.dim(); ++d) stream << (d ? "x" : "") << value.size(d);
    stream << "]";
  }
  stream << (parameters.size() > 1 ? "\n)" : ")");
}

Tensor copy_of(const Tensor& parameter) {
  return parameter.detach().clone().set_requires_grad(parameter.requires_grad());
}

}  // namespace

Tensor& ParameterListImpl::at(std::size_t index) {
  return const_cast<Tensor&>(std::as_const(*this).at(index));
}
const Tensor& ParameterListImpl::at(std::size_t index) const {
  TAPEDECK_CHECK_AS(IndexError, index < size(), "ParameterList: Index out of range: ", index,
                    " of ", size());
  return parameters_[index].value();
}
ParameterListImpl& ParameterListImpl::operator+=(const ParameterListImpl& other) {
  extend(other);
  return *this;
}
std::shared_ptr<Module> ParameterListImpl::clone(const std::optional<Device>& device) const {
  if (device) check_device(*device, "clone");
  auto copy = std::make_shared<ParameterListImpl>();
  for (const auto& item : parameters_) copy->append(copy_of(item.value()));
  copy->train(is_training());
  return copy;
}
void ParameterListImpl::pretty_print(std::ostream& stream) const {
  print_parameters(stream, "ParameterList", parameters_);
}
void ParameterListImpl::append(const Tensor& parameter) {
  register_parameter(std::to_string(size()), parameter, parameter.requires_grad());
}

ParameterDictImpl::ParameterDictImpl(const Parameters& parameters) {
  for (const auto& item : parameters) insert(item.key(), item.value());
}
void ParameterDictImpl::clear() { parameters_.clear(); }
std::vector<std::string> ParameterDictImpl::keys() const { return parameters_.keys(); }
std::vector<Tensor> ParameterDictImpl::values() const { return parameters_.values(); }
bool ParameterDictImpl::contains(const std::string& key) const noexcept {
  return parameters_.contains(key);
}
Tensor& ParameterDictImpl::get(const std::string& key) { return parameters_[key]; }
const Tensor& ParameterDictImpl::get(const std::string& key) const { return parameters_[key]; }
std::shared_ptr<Module> ParameterDictImpl::clone(const std::optional<Device>& device) const {
  if (device) check_device(*device, "clone");
  auto copy = std::make_shared<ParameterDictImpl>();
  for (const auto& item : parameters_) copy->insert(item.key(), copy_of(item.value()));
  copy->train(is_training());
  return copy;
}
void ParameterDictImpl::pretty_print(std::ostream& stream) const {
  print_parameters(stream, "ParameterDict", parameters_);
}
Tensor& ParameterDictImpl::insert(std::string key, Tensor parameter) {
  const bool requires_grad = parameter.requires_grad();
  return register_parameter(std::move(key), std::move(parameter), requires_grad);
}
Tensor ParameterDictImpl::pop(const std::string& key) {
  Tensor parameter = parameters_[key];
  parameters_.erase(key);
  return parameter;
}

FunctionalImpl::FunctionalImpl(Function function) : function_(std::move(function)) {}
void FunctionalImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Functional") << "()";
}
Tensor FunctionalImpl::forward(Tensor input) {
  return detail::call_module(*this, function_, std::move(input));
}
bool FunctionalImpl::is_serializable() const { return false; }

template class Cloneable<FunctionalImpl>;

template class Cloneable<ParameterListImpl>;
template class Cloneable<ParameterDictImpl>;

template class Cloneable<ModuleListImpl>;
template class Cloneable<ModuleDictImpl>;

}  // namespace tapedeck::nn
