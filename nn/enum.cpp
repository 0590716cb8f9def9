#include <tapedeck/nn/enum.h>

namespace tapedeck::enumtype {

std::string get_enum_name(Alternative alternative) {
  static constexpr const char* kNames[] = {
#define TAPEDECK_ALTERNATIVE(name) k##name::text,
      TAPEDECK_FOR_EACH_ALTERNATIVE(TAPEDECK_ALTERNATIVE)
#undef TAPEDECK_ALTERNATIVE
  };
  return kNames[static_cast<std::size_t>(alternative)];
}

Reduction::Reduction reduction_get_enum(Alternative alternative) {
  if (alternative == Alternative::None) return Reduction::None;
  if (alternative == Alternative::Mean) return Reduction::Mean;
  TAPEDECK_CHECK_AS(ValueError, alternative == Alternative::Sum, get_enum_name(alternative),
                    " is not a valid value for reduction");
  return Reduction::Sum;
}

}  // namespace tapedeck::enumtype
