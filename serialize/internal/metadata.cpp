#include <tapedeck/serialize/internal/metadata.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include <tapedeck/array/error.h>

namespace tapedeck::serialize {

namespace {

using Json = nlohmann::json;

Json double_to_json(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  return v;
}

bool double_from_json(const Json& json, double& v) {
  if (json.is_number_float()) {
    v = json.get<double>();
    return true;
  }
  if (json == "nan")
    v = std::numeric_limits<double>::quiet_NaN();
  else if (json == "inf")
    v = std::numeric_limits<double>::infinity();
  else if (json == "-inf")
    v = -std::numeric_limits<double>::infinity();
  else
    return false;
  return true;
}

Json to_json(const IValue& value) {
  if (value.isBool()) return value.toBool();
  if (value.isInt()) return value.toInt();
  if (value.isString()) return value.toStringRef();
  if (value.isIntList()) return value.toIntVector();
  if (value.isDouble()) {
    const Json v = double_to_json(value.toDouble());
    return v.is_string() ? Json{{"double", v}} : v;
  }
  if (value.isDoubleList()) {
    Json list = Json::array();
    for (double v : value.toDoubleVector()) list.push_back(double_to_json(v));
    return Json{{"doubles", list}};
  }
  TAPEDECK_CHECK(value.isNone(), "save: this kind of value has no form in the file");
  return nullptr;
}

// Parses without exceptions and without depth, so that no text can exhaust anything.
Json parse(const std::string& text) {
  return Json::parse(
      text, [](int depth, Json::parse_event_t, Json&) { return depth <= 3; }, false);
}

}  // namespace

std::string encode_value(const IValue& value) {
  try {
    return to_json(value).dump();
  } catch (const Json::exception&) {
    detail::fail("save: a string is not UTF-8 text");
  }
}

IValue decode_value(const std::string& text, bool& ok) {
  ok = true;
  const Json json = parse(text);
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    std::vector<std::int64_t> list;
    for (const Json& v : json) {
      ok = ok && v.is_number_integer();
      if (ok) list.push_back(v.get<std::int64_t>());
    }
    return list;
  }
  if (json.is_object() && json.size() == 1) {
    double v = 0;
    if (json.contains("double") && double_from_json(json["double"], v)) return v;
    if (json.contains("doubles") && json["doubles"].is_array()) {
      std::vector<double> list;
      for (const Json& element : json["doubles"]) {
        ok = ok && double_from_json(element, v);
        list.push_back(v);
      }
      return list;
    }
  }
  ok = false;
  return {};
}

std::string encode_strings(const std::vector<std::string>& strings) {
  try {
    return Json(strings).dump();
  } catch (const Json::exception&) {
    detail::fail("save: a name is not UTF-8 text");
  }
}

std::vector<std::string> decode_strings(const std::string& text, bool& ok) {
  std::vector<std::string> strings;
  const Json json = parse(text);
  ok = json.is_array();
  if (ok)
    for (const Json& s : json) {
      ok = ok && s.is_string();
      if (ok) strings.push_back(s.get<std::string>());
    }
  return strings;
}

}  // namespace tapedeck::serialize
