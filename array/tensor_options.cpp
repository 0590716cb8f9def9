#include <tapedeck/array/tensor_options.h>

#include <ostream>

#include <tapedeck/array/error.h>

namespace tapedeck {

Device::Device(const std::string& name) : type_(kCPU), index_(-1) {
  const auto colon = name.find(':');
  const std::string type = name.substr(0, colon);
  const bool known = type == "cpu" || type == "cuda";
  bool index_ok = true;
  if (colon != std::string::npos) {
    const std::string digits = name.substr(colon + 1);
    index_ok = !digits.empty() && digits.size() <= 2 &&
               digits.find_first_not_of("0123456789") == std::string::npos;
    if (index_ok) index_ = static_cast<DeviceIndex>(std::stoi(digits));
  }
  TAPEDECK_CHECK(known && index_ok, "Invalid device string: '", name,
                 "' (expected cpu, cuda or cuda:N)");
  type_ = type == "cpu" ? kCPU : kCUDA;
}

std::string Device::str() const {
  std::string s = type_ == kCPU ? "cpu" : "cuda";
  if (has_index()) s += ":" + std::to_string(index_);
  return s;
}

std::ostream& operator<<(std::ostream& out, const Device& device) { return out << device.str(); }
std::ostream& operator<<(std::ostream& out, DeviceType type) {
  return out << (type == kCPU ? "cpu" : "cuda");
}

std::ostream& operator<<(std::ostream& out, Layout layout) {
  return out << (layout == kStrided ? "Strided" : "Sparse");
}

TensorOptions TensorOptions::dtype(std::optional<ScalarType> dtype) const {
  TensorOptions r = *this;
  r.dtype_ = dtype;
  return r;
}
TensorOptions TensorOptions::device(std::optional<Device> device) const {
  TensorOptions r = *this;
  r.device_ = device;
  return r;
}
TensorOptions TensorOptions::device(DeviceType type, DeviceIndex index) const {
  return device(Device(type, index));
}
TensorOptions TensorOptions::requires_grad(std::optional<bool> requires_grad) const {
  TensorOptions r = *this;
  r.requires_grad_ = requires_grad;
  return r;
}
TensorOptions TensorOptions::layout(std::optional<Layout> layout) const {
  TensorOptions r = *this;
  r.layout_ = layout;
  return r;
}
TensorOptions TensorOptions::pinned_memory(std::optional<bool>) const { return *this; }
TensorOptions TensorOptions::memory_format(std::optional<MemoryFormat>) const { return *this; }

TypeMeta TensorOptions::dtype() const { return TypeMeta(dtype_ ? *dtype_ : get_default_dtype()); }
Device TensorOptions::device() const { return device_.value_or(Device(kCPU)); }
bool TensorOptions::requires_grad() const { return requires_grad_.value_or(false); }

TensorOptions TensorOptions::merge_in(TensorOptions other) const {
  TensorOptions r = *this;
  if (other.dtype_) r.dtype_ = other.dtype_;
  if (other.device_) r.device_ = other.device_;
  if (other.requires_grad_) r.requires_grad_ = other.requires_grad_;
  if (other.layout_) r.layout_ = other.layout_;
  return r;
}

TensorOptions dtype(ScalarType dtype) { return TensorOptions(dtype); }
TensorOptions device(Device device) { return TensorOptions(device); }
TensorOptions device_index(DeviceIndex index) { return TensorOptions(Device(kCUDA, index)); }
TensorOptions layout(Layout layout) { return TensorOptions(layout); }
TensorOptions requires_grad(bool requires_grad) {
  return TensorOptions().requires_grad(requires_grad);
}

std::ostream& operator<<(std::ostream& out, const TensorOptions& options) {
  const auto marked = [](bool given) { return given ? "" : " (default)"; };
  return out << "TensorOptions(dtype=" << options.dtype() << marked(options.has_dtype())
             << ", device=" << options.device() << marked(options.has_device())
             << ", layout=" << options.layout() << marked(options.has_layout())
             << ", requires_grad=" << (options.requires_grad() ? "true" : "false")
             << marked(options.has_requires_grad())
             << ", pinned_memory=false (default), memory_format=(nullopt))";
}

std::string DeprecatedTypeProperties::toString() const {
  return std::string("CPU") + to_string(dtype_) + "Type";
}
std::ostream& operator<<(std::ostream& out, const DeprecatedTypeProperties& type) {
  return out << type.toString();
}

void check_device(const Device& device, const char* op) {
  TAPEDECK_CHECK(device.is_cpu(), op, ": device ", device,
                 " is not supported: tapedeck computes on the CPU only");
}
void check_options(const TensorOptions& options, const char* op) {
  check_device(options.device(), op);
  TAPEDECK_CHECK(options.layout() == kStrided, op, ": layout ", options.layout(),
                 " is not supported: tapedeck's tensors are strided");
}

}  // namespace tapedeck
