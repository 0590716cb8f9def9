#include <tapedeck/nn/modules/padding.h>

#include <ostream>
#include <string>
#include <vector>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/padding.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

namespace detail {

namespace {

template <std::size_t D>
F::PadFuncOptions pad_options(const ExpandingArray<D>& padding) {
  return F::PadFuncOptions(std::vector<std::int64_t>(padding->begin(), padding->end()));
}

// "ReflectionPad2d(" in Python, "torch::nn::ReflectionPad2d(padding=" in C++.
template <std::size_t D>
std::string opening(const char* kind) {
  return text::name(kind + std::to_string(D) + "d") + (text::in_python() ? "(" : "(padding=");
}

}  // namespace

template <std::size_t D, typename Derived>
void ReflectionPadNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << opening<D>("ReflectionPad") << text::of_tuple(options.padding()) << ")";
}
template <std::size_t D, typename Derived>
Tensor ReflectionPadNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) { return F::pad(x, pad_options(options.padding()).mode(kReflect)); },
      input);
}

template <std::size_t D, typename Derived>
void ReplicationPadNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << opening<D>("ReplicationPad") << text::of_tuple(options.padding()) << ")";
}
template <std::size_t D, typename Derived>
Tensor ReplicationPadNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, pad_options(options.padding()).mode(kReplicate));
      },
      input);
}

template <std::size_t D, typename Derived>
void ConstantPadNdImpl<D, Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name("ConstantPad" + std::to_string(D) + "d")
         << "(padding=" << text::of_tuple(options.padding())
         << ", value=" << text::of_number(options.value()) << ")";
}
template <std::size_t D, typename Derived>
Tensor ConstantPadNdImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, pad_options(options.padding()).value(options.value()));
      },
      input);
}

template class ReflectionPadNdImpl<1, ReflectionPad1dImpl>;
template class ReflectionPadNdImpl<2, ReflectionPad2dImpl>;
template class ReflectionPadNdImpl<3, ReflectionPad3dImpl>;
template class ReplicationPadNdImpl<1, ReplicationPad1dImpl>;
template class ReplicationPadNdImpl<2, ReplicationPad2dImpl>;
template class ReplicationPadNdImpl<3, ReplicationPad3dImpl>;
template class ConstantPadNdImpl<1, ConstantPad1dImpl>;
template class ConstantPadNdImpl<2, ConstantPad2dImpl>;
template class ConstantPadNdImpl<3, ConstantPad3dImpl>;

}  // namespace detail

ReflectionPad1dImpl::~ReflectionPad1dImpl() = default;
ReflectionPad2dImpl::~ReflectionPad2dImpl() = default;
ReflectionPad3dImpl::~ReflectionPad3dImpl() = default;
ReplicationPad1dImpl::~ReplicationPad1dImpl() = default;
ReplicationPad2dImpl::~ReplicationPad2dImpl() = default;
ReplicationPad3dImpl::~ReplicationPad3dImpl() = default;
ConstantPad1dImpl::~ConstantPad1dImpl() = default;
ConstantPad2dImpl::~ConstantPad2dImpl() = default;
ConstantPad3dImpl::~ConstantPad3dImpl() = default;

void ZeroPad2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ZeroPad2d") << "(padding=" << text::of_tuple(options.padding())
         << (text::in_python() ? ", value=0.0)" : ")");
}
Tensor ZeroPad2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this, [this](const Tensor& x) { return F::pad(x, detail::pad_options(options.padding())); },
      input);
}

template class Cloneable<ReflectionPad1dImpl>;
template class Cloneable<ReflectionPad2dImpl>;
template class Cloneable<ReflectionPad3dImpl>;
template class Cloneable<ReplicationPad1dImpl>;
template class Cloneable<ReplicationPad2dImpl>;
template class Cloneable<ReplicationPad3dImpl>;
template class Cloneable<ConstantPad1dImpl>;
template class Cloneable<ConstantPad2dImpl>;
template class Cloneable<ConstantPad3dImpl>;
template class Cloneable<ZeroPad2dImpl>;

}  // namespace tapedeck::nn
