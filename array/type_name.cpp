#include <tapedeck/array/type_name.h>

#include <cstdlib>
#include <memory>

#include <cxxabi.h>

namespace tapedeck {

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 && text ? text.get() : type.name();
}

}  // namespace tapedeck
