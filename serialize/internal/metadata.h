#pragma once

#include <string>
#include <vector>

#include <tapedeck/autograd/ivalue.h>

namespace tapedeck::serialize {

/// A value as JSON text, exactly: 0.1, true, "text", [1, 2]; what JSON lacks is spelled
/// {"double": "inf"}. Tensors have no such form. \throws Error for text that is not UTF-8.
std::string encode_value(const IValue& value);
/// The inverse. `ok` is false where the text is none of encode_value's.
IValue decode_value(const std::string& text, bool& ok);

/// A list of strings as JSON text, and back.
std::string encode_strings(const std::vector<std::string>& strings);
std::vector<std::string> decode_strings(const std::string& text, bool& ok);

}  // namespace tapedeck::serialize
