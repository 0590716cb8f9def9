#pragma once

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <tapedeck/autograd/variable.h>

/// What stands between the brackets of `x.index({...})`, with libtorch's names:
///
///   Python             here
///   x[None]            x.index({None})
///   x[..., 0]          x.index({Ellipsis, 0}) or x.index({"...", 0})
///   x[1:7:2, -1]       x.index({Slice(1, 7, 2), -1})
///   x[:, ids]          x.index({Slice(), ids})        ids an int64 tensor
///   x[x > 0]           x.index({x > 0})
///   x[:, 0] = y        x.index_put_({Slice(), 0}, y)
namespace tapedeck::indexing {

enum class TensorIndexType : std::uint8_t { None, Ellipsis, Integer, Boolean, Slice, Tensor };

/// Ends of a Slice that are beyond any axis.
inline constexpr std::int64_t INDEX_MIN = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t INDEX_MAX = std::numeric_limits<std::int64_t>::max();

/// A new axis of size one; in a Slice, an end that is not given.
inline constexpr std::nullopt_t None = std::nullopt;

/// As many full axes as it takes.
struct EllipsisIndexType final {};
inline constexpr EllipsisIndexType Ellipsis{};

/// start, start + step, ... below stop. Ends count from the end of the axis where negative, and are
/// clipped to it. \throws ValueError for a step of zero.
class Slice final {
 public:
  Slice(std::optional<std::int64_t> start = std::nullopt,
        std::optional<std::int64_t> stop = std::nullopt,
        std::optional<std::int64_t> step = std::nullopt);

  std::int64_t start() const { return start_; }
  std::int64_t stop() const { return stop_; }
  std::int64_t step() const { return step_; }

 private:
  std::int64_t start_;
  std::int64_t stop_;
  std::int64_t step_;
};
std::ostream& operator<<(std::ostream& out, const Slice& slice);

/// One index: None, Ellipsis or "...", an integer, a bool, a Slice, or a tensor of int64 or bool.
struct TensorIndex final {
  TensorIndex(std::nullopt_t) : type_(TensorIndexType::None) {}
  TensorIndex(EllipsisIndexType) : type_(TensorIndexType::Ellipsis) {}
  /// \throws ValueError for anything but "...".
  TensorIndex(const char* dots);
  template <std::integral T>
  requires(!std::same_as<T, bool>) TensorIndex(T integer)
      : type_(TensorIndexType::Integer), integer_(static_cast<std::int64_t>(integer)) {}
  template <std::same_as<bool> T>
  TensorIndex(T boolean) : type_(TensorIndexType::Boolean), boolean_(boolean) {}
  TensorIndex(Slice slice) : type_(TensorIndexType::Slice), slice_(slice) {}
  TensorIndex(Variable tensor) : type_(TensorIndexType::Tensor), tensor_(std::move(tensor)) {}

  bool is_none() const { return type_ == TensorIndexType::None; }
  bool is_ellipsis() const { return type_ == TensorIndexType::Ellipsis; }
  bool is_integer() const { return type_ == TensorIndexType::Integer; }
  bool is_boolean() const { return type_ == TensorIndexType::Boolean; }
  bool is_slice() const { return type_ == TensorIndexType::Slice; }
  bool is_tensor() const { return type_ == TensorIndexType::Tensor; }
  std::int64_t integer() const { return integer_; }
  bool boolean() const { return boolean_; }
  const Slice& slice() const { return slice_; }
  const Variable& tensor() const { return tensor_; }

 private:
  TensorIndexType type_;
  std::int64_t integer_ = 0;
  bool boolean_ = false;
  Slice slice_;
  Variable tensor_;
};
std::ostream& operator<<(std::ostream& out, const TensorIndex& index);
std::ostream& operator<<(std::ostream& out, const std::vector<TensorIndex>& indices);

}  // namespace tapedeck::indexing
