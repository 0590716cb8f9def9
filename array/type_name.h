#pragma once

#include <string>
#include <typeinfo>

namespace tapedeck {

/// The type's name as it is written in C++: "tapedeck::nn::LinearImpl".
std::string type_name(const std::type_info& type);

}  // namespace tapedeck
