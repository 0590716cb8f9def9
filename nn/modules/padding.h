#pragma once

#include <cstdint>
#include <iosfwd>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/padding.h>

namespace tapedeck::nn {

// They add elements on all sides of the last one, two or three axes: {left, right}, {left, right,
// top, bottom} or {left, right, top, bottom, front, back}, or one number for all.

/// The input mirrored at its edge.
class ReflectionPad1dImpl : public Cloneable<ReflectionPad1dImpl> {
 public:
  ReflectionPad1dImpl(ExpandingArray<2> padding) : options(padding) {}
  explicit ReflectionPad1dImpl(const ReflectionPad1dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReflectionPad1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad1d);

/// The input's edge repeated.
class ReplicationPad1dImpl : public Cloneable<ReplicationPad1dImpl> {
 public:
  ReplicationPad1dImpl(ExpandingArray<2> padding) : options(padding) {}
  explicit ReplicationPad1dImpl(const ReplicationPad1dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReplicationPad1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad1d);

/// A value.
class ConstantPad1dImpl : public Cloneable<ConstantPad1dImpl> {
 public:
  ConstantPad1dImpl(ExpandingArray<2> padding, double value) : options(padding, value) {}
  explicit ConstantPad1dImpl(const ConstantPad1dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ConstantPad1dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ConstantPad1d);

/// The input mirrored at its edge.
class ReflectionPad2dImpl : public Cloneable<ReflectionPad2dImpl> {
 public:
  ReflectionPad2dImpl(ExpandingArray<4> padding) : options(padding) {}
  explicit ReflectionPad2dImpl(const ReflectionPad2dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReflectionPad2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad2d);

/// The input mirrored at its edge.
class ReflectionPad3dImpl : public Cloneable<ReflectionPad3dImpl> {
 public:
  ReflectionPad3dImpl(ExpandingArray<6> padding) : options(padding) {}
  explicit ReflectionPad3dImpl(const ReflectionPad3dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReflectionPad3dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReflectionPad3d);

/// The input's edge repeated.
class ReplicationPad2dImpl : public Cloneable<ReplicationPad2dImpl> {
 public:
  ReplicationPad2dImpl(ExpandingArray<4> padding) : options(padding) {}
  explicit ReplicationPad2dImpl(const ReplicationPad2dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReplicationPad2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad2d);

/// The input's edge repeated.
class ReplicationPad3dImpl : public Cloneable<ReplicationPad3dImpl> {
 public:
  ReplicationPad3dImpl(ExpandingArray<6> padding) : options(padding) {}
  explicit ReplicationPad3dImpl(const ReplicationPad3dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ReplicationPad3dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ReplicationPad3d);

/// A value.
class ConstantPad2dImpl : public Cloneable<ConstantPad2dImpl> {
 public:
  ConstantPad2dImpl(ExpandingArray<4> padding, double value) : options(padding, value) {}
  explicit ConstantPad2dImpl(const ConstantPad2dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ConstantPad2dOptions options;
};
TAPEDECK_LIBRARY_MODULE(ConstantPad2d);

/// A value.
class ConstantPad3dImpl : public Cloneable<ConstantPad3dImpl> {
 public:
  ConstantPad3dImpl(ExpandingArray<6> padding, double value) : options(padding, value) {}
  explicit ConstantPad3dImpl(const ConstantPad3dOptions& options_) : options(options_) {}
  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(const Tensor& input);

  ConstantPad3dOptions options;
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
