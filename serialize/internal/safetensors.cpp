#include <tapedeck/serialize/internal/safetensors.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include <tapedeck/array/error.h>

namespace tapedeck::serialize {

namespace {

using Json = nlohmann::ordered_json;

struct DtypeName {
  const char* name;
  ScalarType dtype;
};
constexpr DtypeName kDtypes[] = {{"F32", kFloat32}, {"F64", kFloat64}, {"I64", kInt64},
                                 {"I32", kInt32},   {"U8", kUInt8},    {"BOOL", kBool}};

const char* dtype_name(ScalarType dtype) {
  for (const DtypeName& d : kDtypes)
    if (d.dtype == dtype) return d.name;
  return "";
}

// Takes the header apart as it is parsed, so that nothing is built that the format does not have.
class HeaderHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderHandler(SafetensorsHeader& header) : header_(header) {}

  const std::string& problem() const { return problem_; }

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::Start:
        place_ = Place::Top;
        return true;
      case Place::Top:
        if (key_ == "__metadata__") {
          place_ = Place::Metadata;
        } else {
          place_ = Place::Tensor;
          header_.tensors.emplace_back().name = key_;
          dtype_.clear();
          has_shape_ = false;
          offsets_.clear();
        }
        return true;
      default:
        return misplaced("an object");
    }
  }
  bool key(std::string& key) override {
    if (place_ == Place::Top) {
      if (!names_.insert(key).second) return fail(detail::str("'", key, "' is there twice"));
    } else if (place_ == Place::Metadata) {
      if (!metadata_names_.insert(key).second)
        return fail(detail::str("metadata '", key, "' is there twice"));
    }
    (place_ == Place::Top ? key_ : field_) = key;
    return true;
  }
  bool end_object() override {
    if (place_ == Place::Tensor && !finish_tensor()) return false;
    place_ = place_ == Place::Top ? Place::End : Place::Top;
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ == Place::Tensor && field_ == "shape" && !has_shape_) {
      place_ = Place::Shape;
      has_shape_ = true;
      return true;
    }
    if (place_ == Place::Tensor && field_ == "data_offsets" && offsets_.empty()) {
      place_ = Place::Offsets;
      return true;
    }
    return misplaced("a list");
  }
  bool end_array() override {
    place_ = Place::Tensor;
    return true;
  }
  bool string(std::string& value) override {
    if (place_ == Place::Metadata) {
      header_.metadata.emplace_back(field_, value);
      return true;
    }
    if (place_ != Place::Tensor || field_ != "dtype") return misplaced("a string");
    dtype_ = value;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::Shape) {
      DimVector& shape = header_.tensors.back().shape;
      if (shape.size() == kMaxDims)
        return fail(detail::str("tensor '", key_, "' has more than ", kMaxDims, " dimensions"));
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return fail(detail::str("tensor '", key_, "' has an impossible size ", value));
      shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (place_ == Place::Offsets && offsets_.size() < 2) {
      offsets_.push_back(value);
      return true;
    }
    return misplaced("a number");
  }
  bool number_integer(std::int64_t) override { return misplaced("a negative number"); }
  bool number_float(double, const std::string&) override { return misplaced("a fraction"); }
  bool null() override { return misplaced("null"); }
  bool boolean(bool) override { return misplaced("a truth value"); }
  bool binary(binary_t&) override { return misplaced("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return fail(detail::str("no valid JSON at byte ", position));
  }

 private:
  enum class Place { Start, Top, Metadata, Tensor, Shape, Offsets, End };

  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool misplaced(const char* what) {
    return fail(detail::str(what, " where the format has none",
                            key_.empty() ? "" : detail::str(" (at '", key_, "')")));
  }

  bool finish_tensor() {
    TensorEntry& t = header_.tensors.back();
    if (dtype_.empty() || !has_shape_ || offsets_.size() != 2)
      return fail(detail::str("tensor '", key_, "' lacks its dtype, shape or data_offsets"));
    for (const DtypeName& d : kDtypes)
      if (dtype_ == d.name) t.dtype = d.dtype;
    if (t.dtype == ScalarType::Undefined)
      return fail(detail::str("tensor '", key_, "' has dtype ", dtype_,
                              "; F32, F64, I64, I32, U8 and BOOL can be read"));
    t.begin = offsets_[0];
    t.end = offsets_[1];
    std::uint64_t bytes = static_cast<std::uint64_t>(element_size(t.dtype));
    bool empty = false, overflow = false;
    for (std::int64_t size : t.shape) empty = empty || size == 0;
    for (std::int64_t size : t.shape)
      overflow = overflow || (!empty && __builtin_mul_overflow(
                                            bytes, static_cast<std::uint64_t>(size), &bytes));
    if (empty) bytes = 0;
    if (overflow || t.begin > t.end || t.end - t.begin != bytes)
      return fail(detail::str("tensor '", key_, "' of shape ", t.shape.ref(), " and dtype ", dtype_,
                              " does not fill its bytes ", t.begin, " to ", t.end));
    return true;
  }

  SafetensorsHeader& header_;
  Place place_ = Place::Start;
  std::string key_, field_, dtype_;
  bool has_shape_ = false;
  std::vector<std::uint64_t> offsets_;
  std::unordered_set<std::string> names_, metadata_names_;
  std::string problem_;
};

}  // namespace

SafetensorsHeader parse_header(std::string_view text, const std::string& source) {
  SafetensorsHeader header;
  HeaderHandler handler(header);
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  TAPEDECK_CHECK(parsed, "load: the header of ", source, " is damaged: ", handler.problem());

  std::vector<const TensorEntry*> order;
  for (const TensorEntry& t : header.tensors) order.push_back(&t);
  std::sort(order.begin(), order.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  for (const TensorEntry* t : order) {
    TAPEDECK_CHECK(t->begin == header.data_size, "load: the header of ", source,
                   " is damaged: tensor '", t->name, "' begins at byte ", t->begin,
                   " of the data, expected ", header.data_size);
    header.data_size = t->end;
  }
  return header;
}

std::string format_header(const SafetensorsHeader& header) {
  Json json = Json::object();
  if (!header.metadata.empty()) {
    nlohmann::json metadata = nlohmann::json::object();
    for (const auto& [key, value] : header.metadata) metadata[key] = value;
    json["__metadata__"] = metadata;
  }
  std::string text;
  try {
    // Written piece by piece: an ordered object looks through all its keys at each insertion.
    text = json.dump();
    text.pop_back();
    for (const TensorEntry& t : header.tensors) {
      Json entry;
      entry["dtype"] = dtype_name(t.dtype);
      entry["shape"] = std::vector<std::int64_t>(t.shape.begin(), t.shape.end());
      entry["data_offsets"] = {t.begin, t.end};
      if (text.size() > 1) text += ',';
      text += Json(t.name).dump();
      text += ':';
      text += entry.dump();
    }
  } catch (const nlohmann::json::exception&) {
    detail::fail("save: a name or a value is not UTF-8 text");
  }
  text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace tapedeck::serialize
