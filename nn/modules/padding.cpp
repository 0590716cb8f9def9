#include <tapedeck/nn/modules/padding.h>

#include <ostream>
#include <vector>

#include <tapedeck/nn/functional/padding.h>
#include <tapedeck/nn/internal/print.h>

namespace tapedeck::nn {

namespace F = functional;

namespace {
template <std::size_t D>
std::vector<std::int64_t> list_of(const ExpandingArray<D>& padding) {
  return {padding->begin(), padding->end()};
}

const char* before_padding() { return text::in_python() ? "(" : "(padding="; }
}  // namespace

void ReflectionPad1dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReflectionPad1d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReflectionPad1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReflect));
      },
      input);
}

void ReplicationPad1dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReplicationPad1d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReplicationPad1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReplicate));
      },
      input);
}

void ConstantPad1dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ConstantPad1d") << "(padding=" << text::of_tuple(options.padding())
         << ", value=" << text::of_number(options.value()) << ")";
}
Tensor ConstantPad1dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).value(options.value()));
      },
      input);
}

void ReflectionPad2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReflectionPad2d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReflectionPad2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReflect));
      },
      input);
}

void ReflectionPad3dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReflectionPad3d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReflectionPad3dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReflect));
      },
      input);
}

void ReplicationPad2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReplicationPad2d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReplicationPad2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReplicate));
      },
      input);
}

void ReplicationPad3dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ReplicationPad3d") << before_padding() << text::of_tuple(options.padding())
         << ")";
}
Tensor ReplicationPad3dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).mode(kReplicate));
      },
      input);
}

void ConstantPad2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ConstantPad2d") << "(padding=" << text::of_tuple(options.padding())
         << ", value=" << text::of_number(options.value()) << ")";
}
Tensor ConstantPad2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).value(options.value()));
      },
      input);
}

void ConstantPad3dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ConstantPad3d") << "(padding=" << text::of_tuple(options.padding())
         << ", value=" << text::of_number(options.value()) << ")";
}
Tensor ConstantPad3dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::pad(x, F::PadFuncOptions(list_of(options.padding())).value(options.value()));
      },
      input);
}

void ZeroPad2dImpl::pretty_print(std::ostream& stream) const {
  stream << text::name("ZeroPad2d") << "(padding=" << text::of_tuple(options.padding())
         << (text::in_python() ? ", value=0.0)" : ")");
}
Tensor ZeroPad2dImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) { return F::pad(x, F::PadFuncOptions(list_of(options.padding()))); },
      input);
}

template class Cloneable<ReflectionPad1dImpl>;
template class Cloneable<ReplicationPad1dImpl>;
template class Cloneable<ConstantPad1dImpl>;
template class Cloneable<ReflectionPad2dImpl>;
template class Cloneable<ReflectionPad3dImpl>;
template class Cloneable<ReplicationPad2dImpl>;
template class Cloneable<ReplicationPad3dImpl>;
template class Cloneable<ConstantPad2dImpl>;
template class Cloneable<ConstantPad3dImpl>;
template class Cloneable<ZeroPad2dImpl>;

}  // namespace tapedeck::nn
