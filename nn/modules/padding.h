#pragma once

#include <cstddef>
#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/padding.h>

namespace tapedeck::nn {

// They add elements on all sides of the last one, two or three axes: {left, right}, {left, right,
// top, bottom} or {left, right, top, bottom, front, back}, or one number for all.

namespace detail {

template <std::size_t D, typename Derived>
class ReflectionPadNdImpl : public Cloneable<Derived> {
 public:
  ReflectionPadNdImpl(ExpandingArray<2 * D> padding) : options(padding) {}
  explicit ReflectionPadNdImpl(const ReflectionPadOptions<D>& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReflectionPadOptions<D> options;
};

template <std::size_t D, typename Derived>
class ReplicationPadNdImpl : public Cloneable<Derived> {
 public:
  ReplicationPadNdImpl(ExpandingArray<2 * D> padding) : options(padding) {}
  explicit ReplicationPadNdImpl(const ReplicationPadOptions<D>& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReplicationPadOptions<D> options;
};

template <std::size_t D, typename Derived>
class ConstantPadNdImpl : public Cloneable<Derived> {
 public:
  ConstantPadNdImpl(ExpandingArray<2 * D> padding, double value) : options(padding, value) {}
  explicit ConstantPadNdImpl(const ConstantPadOptions<D>& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ConstantPadOptions<D> options;
};

}  // namespace detail

/// The input mirrored at its edge.
class ReflectionPad1dImpl : public detail::ReflectionPadNdImpl<1, ReflectionPad1dImpl> {
 public:
  using ReflectionPadNdImpl::ReflectionPadNdImpl;
  ~ReflectionPad1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad1d);

/// The input mirrored at its edge.
class ReflectionPad2dImpl : public detail::ReflectionPadNdImpl<2, ReflectionPad2dImpl> {
 public:
  using ReflectionPadNdImpl::ReflectionPadNdImpl;
  ~ReflectionPad2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad2d);

/// The input mirrored at its edge.
class ReflectionPad3dImpl : public detail::ReflectionPadNdImpl<3, ReflectionPad3dImpl> {
 public:
  using ReflectionPadNdImpl::ReflectionPadNdImpl;
  ~ReflectionPad3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad3d);

/// The input's edge repeated.
class ReplicationPad1dImpl : public detail::ReplicationPadNdImpl<1, ReplicationPad1dImpl> {
 public:
  using ReplicationPadNdImpl::ReplicationPadNdImpl;
  ~ReplicationPad1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad1d);

/// The input's edge repeated.
class ReplicationPad2dImpl : public detail::ReplicationPadNdImpl<2, ReplicationPad2dImpl> {
 public:
  using ReplicationPadNdImpl::ReplicationPadNdImpl;
  ~ReplicationPad2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad2d);

/// The input's edge repeated.
class ReplicationPad3dImpl : public detail::ReplicationPadNdImpl<3, ReplicationPad3dImpl> {
 public:
  using ReplicationPadNdImpl::ReplicationPadNdImpl;
  ~ReplicationPad3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad3d);

/// A value.
class ConstantPad1dImpl : public detail::ConstantPadNdImpl<1, ConstantPad1dImpl> {
 public:
  using ConstantPadNdImpl::ConstantPadNdImpl;
  ~ConstantPad1dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ConstantPad1d);

/// A value.
class ConstantPad2dImpl : public detail::ConstantPadNdImpl<2, ConstantPad2dImpl> {
 public:
  using ConstantPadNdImpl::ConstantPadNdImpl;
  ~ConstantPad2dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ConstantPad2d);

/// A value.
class ConstantPad3dImpl : public detail::ConstantPadNdImpl<3, ConstantPad3dImpl> {
 public:
  using ConstantPadNdImpl::ConstantPadNdImpl;
  ~ConstantPad3dImpl() override;
};
TAPEDECK_LIBRARY_MODULE(ConstantPad3d);

/// Zeros.
class ZeroPad2dImpl : public Cloneable<ZeroPad2dImpl> {
 public:
  ZeroPad2dImpl(ExpandingArray<4> padding) : options(padding) {}
  explicit ZeroPad2dImpl(const ZeroPad2dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ZeroPad2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ZeroPad2d);

}  // namespace tapedeck::nn
