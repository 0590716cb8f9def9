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

std::ostream& operator<<(std::ostream& out, const TensorOptions& options) {
  return out << "TensorOptions(dtype=" << options.dtype() << ", device=" << options.device()
             << ", layout=Strided, requires_grad=" << (options.requires_grad() ? "true" : "false")
             << ")";
}

void check_device(const Device& device, const char* op) {
  TAPEDECK_CHECK(device.is_cpu(), op, ": device ", device,
                 " is not supported: tapedeck computes on the CPU only");
}

}  // namespace tapedeck
