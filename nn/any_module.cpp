#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/internal/print.h>

#include <ostream>

#include <tapedeck/nn/modules/container/sequential.h>

namespace tapedeck::nn {

namespace detail {

using tapedeck::detail::fail;
using tapedeck::detail::str;

void wrong_argument_type(std::size_t index, const std::type_info& expected,
                         const std::type_info& got) {
  fail<TypeError>(str("Expected argument #", index, " to be of type ", text::of_type(expected),
                      ", but received value of type ", text::of_type(got)));
}

void wrong_module_cast(const std::type_info& wanted, const std::type_info& held) {
  fail<TypeError>(str("Attempted to cast module of type ", text::of_type(held), " to type ",
                      text::of_type(wanted)));
}

void empty_any_module(const char* function) {
  fail(str("Cannot call ", function, "() on an empty AnyModule"));
}

std::vector<AnyValue> complete_arguments(Module& module, const std::type_info& type,
                                         std::size_t count, std::vector<AnyValue>&& arguments) {
  const std::size_t given = arguments.size();
  if (!module._forward_has_default_args()) {
    fail(str(text::of_type(type), "'s forward() method expects ", count,
             " argument(s), but received ", given, ".",
             given < count ? str(" If ", text::of_type(type),
                                 "'s forward() method has default arguments, please make sure the "
                                 "forward() method is declared with a corresponding "
                                 "`FORWARD_HAS_DEFAULT_ARGS` macro.")
                           : ""));
  }
  const std::size_t required = module._forward_num_required_args();
  TAPEDECK_CHECK(given >= required && given <= count, text::of_type(type),
                 "'s forward() method expects at least ", required, " argument(s) and at most ",
                 count, " argument(s), but received ", given, ".");
  return module._forward_populate_default_args(std::move(arguments));
}

void wrong_clone(const std::type_info& type) {
  fail(str("AnyModule: the clone of a ", text::of_type(type), " is of another class"));
}

DefaultArguments::DefaultArguments(
    std::initializer_list<std::pair<unsigned int, AnyValue>> defaults)
    : defaults_(defaults) {}

std::vector<AnyValue> DefaultArguments::complete(std::vector<AnyValue>&& arguments) const {
  std::vector<AnyValue> result = std::move(arguments);
  for (const auto& [position, value] : defaults_)
    if (position >= result.size()) result.push_back(value);
  return result;
}

}  // namespace detail

AnyModule AnyModule::clone(const std::optional<Device>& device) const {
  AnyModule result;
  if (is_empty()) return result;
  result.module_ = module_->clone(device);
  result.object_ = class_->cast(*result.module_);
  if (!result.object_) detail::wrong_clone(class_->type);
  result.class_ = class_;
  return result;
}

AnyValue AnyModule::forward_boxed(std::vector<AnyValue>&& arguments) {
  check_holds("forward");
  return class_->forward(object_, std::move(arguments));
}
bool AnyModule::forward_tensor(Tensor& value) {
  check_holds("forward");
  return class_->forward_tensor(object_, value);
}

std::shared_ptr<Module> AnyModule::ptr() const {
  check_holds("ptr");
  return module_;
}
const std::type_info& AnyModule::type_info() const {
  check_holds("type_info");
  return class_->type;
}

Sequential::Sequential() = default;
Sequential::Sequential(std::initializer_list<NamedAnyModule> modules)
    : ModuleHolder(std::make_shared<SequentialImpl>(modules)) {}

SequentialImpl::SequentialImpl(OrderedDict<std::string, AnyModule>&& modules) {
  for (auto& item : modules) push_back(item.key(), std::move(item.value()));
}
SequentialImpl::SequentialImpl(std::initializer_list<NamedAnyModule> modules) {
  for (const NamedAnyModule& item : modules) push_back(item.name(), item.module());
}

std::shared_ptr<Module> SequentialImpl::clone(const std::optional<Device>& device) const {
  auto copy = std::make_shared<SequentialImpl>();
  std::size_t i = 0;
  for (const std::string& name : named_children().keys())
    copy->push_back(name, modules_[i++].clone(device));
  copy->train(is_training());
  return copy;
}

void SequentialImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("Sequential");
}

AnyValue SequentialImpl::any_forward(std::vector<AnyValue>&& inputs) {
  TAPEDECK_CHECK(!is_empty(), "Cannot call forward() on an empty Sequential");
  return detail::call_module(*this, [&] {
    AnyValue value = modules_[0].forward_boxed(std::move(inputs));
    for (std::size_t i = 1; i < modules_.size(); ++i) {
      std::vector<AnyValue> one;
      one.push_back(std::move(value));
      value = modules_[i].forward_boxed(std::move(one));
    }
    return value;
  });
}

Tensor SequentialImpl::forward_tensor(Tensor value) {
  TAPEDECK_CHECK(!is_empty(), "Cannot call forward() on an empty Sequential");
  return detail::call_module(
      *this,
      [&](Tensor x) {
        for (std::size_t i = 0; i < modules_.size(); ++i) {
          if (modules_[i].forward_tensor(x)) continue;
          // Boxed from here on.
          AnyValue boxed(std::move(x));
          for (; i < modules_.size(); ++i) {
            std::vector<AnyValue> one;
            one.push_back(std::move(boxed));
            boxed = modules_[i].forward_boxed(std::move(one));
          }
          Tensor* result = boxed.try_get<Tensor>();
          if (!result) detail::wrong_return_type(typeid(Tensor), boxed.type_info());
          return std::move(*result);
        }
        return x;
      },
      std::move(value));
}

void SequentialImpl::push_back(AnyModule module) {
  push_back(std::to_string(modules_.size()), std::move(module));
}
void SequentialImpl::push_back(std::string name, AnyModule module) {
  register_module(std::move(name), module.ptr());
  modules_.push_back(std::move(module));
}

Sequential SequentialImpl::slice(std::size_t begin, std::size_t end) const {
  TAPEDECK_CHECK_AS(IndexError, begin <= end && end <= size(), "Sequential: cannot take layers ",
                    begin, " to ", end, " of ", size());
  const std::vector<std::string> names = named_children().keys();
  auto part = std::make_shared<SequentialImpl>();
  for (std::size_t i = begin; i < end; ++i) part->push_back(names[i], modules_[i]);
  return Sequential(std::move(part));
}
Sequential SequentialImpl::first(std::size_t count) const { return slice(0, count); }

std::shared_ptr<Module> SequentialImpl::ptr(std::size_t index) const {
  check_index(index);
  return modules_[index].ptr();
}

void SequentialImpl::check_index(std::size_t index) const {
  TAPEDECK_CHECK_AS(IndexError, index < size(), "Sequential: Index out of range: ", index, " of ",
                    size(), " modules");
}

template class Cloneable<SequentialImpl>;

}  // namespace tapedeck::nn
