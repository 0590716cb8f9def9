#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <tapedeck/array/dtype.h>

namespace tapedeck {

enum class DeviceType : std::int8_t { CPU = 0, CUDA = 1 };
inline constexpr DeviceType kCPU = DeviceType::CPU;
inline constexpr DeviceType kCUDA = DeviceType::CUDA;
using DeviceIndex = std::int8_t;

/// Where a tensor lives. Only the CPU holds tensors; other devices can be named, and asking for a
/// tensor on one is an error.
class Device {
 public:
  using Type = DeviceType;

  Device(DeviceType type, DeviceIndex index = -1) : type_(type), index_(index) {}
  /// "cpu", "cuda" or "cuda:1". \throws Error for anything else.
  Device(const std::string& name);
  Device(const char* name) : Device(std::string(name)) {}

  DeviceType type() const { return type_; }
  DeviceIndex index() const { return index_; }
  bool has_index() const { return index_ >= 0; }
  bool is_cpu() const { return type_ == DeviceType::CPU; }
  bool is_cuda() const { return type_ == DeviceType::CUDA; }
  std::string str() const;
  bool operator==(const Device& other) const = default;

 private:
  DeviceType type_;
  DeviceIndex index_;
};
std::ostream& operator<<(std::ostream& out, const Device& device);
std::ostream& operator<<(std::ostream& out, DeviceType type);

/// How the elements of a tensor lie. Only strided tensors exist; other layouts can be named, and
/// asking for a tensor of one is an error.
enum class Layout : std::int8_t { Strided = 0, Sparse = 1 };
inline constexpr Layout kStrided = Layout::Strided;
inline constexpr Layout kSparse = Layout::Sparse;
std::ostream& operator<<(std::ostream& out, Layout layout);
enum class MemoryFormat : std::int8_t { Contiguous, Preserve, ChannelsLast, ChannelsLast3d };

/// How a new tensor is made: dtype, device, requires_grad. Each is unset until it is said, so that
/// a function that copies another tensor's options knows what to override.
class TensorOptions {
 public:
  TensorOptions() = default;
  TensorOptions(ScalarType dtype) : dtype_(dtype) {}
  TensorOptions(TypeMeta dtype) : dtype_(dtype) {}
  /// From a Device, or whatever makes one: kCPU, "cpu", {kCUDA, 1}.
  template <typename... Args>
  requires std::is_constructible_v<Device, Args...> TensorOptions(Args&&... args)
      : device_(Device(std::forward<Args>(args)...)) {}
  TensorOptions(Layout layout) : layout_(layout) {}

  [[nodiscard]] TensorOptions dtype(std::optional<ScalarType> dtype) const;
  [[nodiscard]] TensorOptions device(std::optional<Device> device) const;
  [[nodiscard]] TensorOptions device(DeviceType type, DeviceIndex index = -1) const;
  [[nodiscard]] TensorOptions requires_grad(std::optional<bool> requires_grad) const;
  [[nodiscard]] TensorOptions layout(std::optional<Layout> layout) const;
  [[nodiscard]] TensorOptions pinned_memory(std::optional<bool>) const;
  [[nodiscard]] TensorOptions memory_format(std::optional<MemoryFormat>) const;

  /// The dtype said, or the default one.
  TypeMeta dtype() const;
  Device device() const;
  bool requires_grad() const;
  Layout layout() const { return layout_.value_or(kStrided); }
  bool has_dtype() const { return dtype_.has_value(); }
  bool has_device() const { return device_.has_value(); }
  bool has_layout() const { return layout_.has_value(); }
  bool has_requires_grad() const { return requires_grad_.has_value(); }
  std::optional<ScalarType> dtype_opt() const { return dtype_; }
  std::optional<Device> device_opt() const { return device_; }
  std::optional<bool> requires_grad_opt() const { return requires_grad_; }

  /// These options, with everything that `other` says put over them.
  [[nodiscard]] TensorOptions merge_in(TensorOptions other) const;

 private:
  std::optional<ScalarType> dtype_;
  std::optional<Device> device_;
  std::optional<bool> requires_grad_;
  std::optional<Layout> layout_;
};

TensorOptions dtype(ScalarType dtype);
TensorOptions device(Device device);
TensorOptions device_index(DeviceIndex index);
TensorOptions layout(Layout layout);
TensorOptions requires_grad(bool requires_grad = true);
std::ostream& operator<<(std::ostream& out, const TensorOptions& options);

/// libtorch's old word for a device and a layout.
enum class Backend : std::int8_t { CPU, CUDA, Undefined };

/// What Tensor::type() gives: libtorch's old word for a dtype on a device, "CPUFloatType".
class DeprecatedTypeProperties {
 public:
  explicit DeprecatedTypeProperties(ScalarType dtype) : dtype_(dtype) {}
  operator ScalarType() const { return dtype_; }
  operator TensorOptions() const { return options(); }
  Backend backend() const { return Backend::CPU; }
  ScalarType scalarType() const { return dtype_; }
  TypeMeta typeMeta() const { return TypeMeta(dtype_); }
  TensorOptions options() const { return TensorOptions(dtype_); }
  std::string toString() const;
  bool is_cuda() const { return false; }
  bool is_sparse() const { return false; }
  bool operator==(const DeprecatedTypeProperties& other) const = default;

 private:
  ScalarType dtype_;
};
std::ostream& operator<<(std::ostream& out, const DeprecatedTypeProperties& type);

/// \throws Error unless the device is the CPU: `op: device cuda is not supported ...`.
void check_device(const Device& device, const char* op);
/// \throws Error unless these options ask for a strided tensor on the CPU.
void check_options(const TensorOptions& options, const char* op);

}  // namespace tapedeck
