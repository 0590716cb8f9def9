#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace tapedeck {
namespace serialize {
class OutputArchive;
class InputArchive;
}  // namespace serialize

namespace data::samplers {

/// Says which examples come next.
template <typename BatchRequest = std::vector<std::size_t>>
class Sampler {
 public:
  using BatchRequestType = BatchRequest;

  virtual ~Sampler() = default;

  /// Begins an epoch, of another size if one is given.
  virtual void reset(std::optional<std::size_t> new_size) = 0;
  /// At most `batch_size` examples; nothing at the end of the epoch.
  virtual std::optional<BatchRequest> next(std::size_t batch_size) = 0;

  virtual void save(serialize::OutputArchive& archive) const = 0;
  virtual void load(serialize::InputArchive& archive) = 0;
};

/// A request that is no list of indices.
struct CustomBatchRequest {
  virtual ~CustomBatchRequest() = default;
  virtual std::size_t size() const = 0;
};

template <typename BatchRequest>
serialize::OutputArchive& operator<<(serialize::OutputArchive& archive,
                                     const Sampler<BatchRequest>& sampler) {
  sampler.save(archive);
  return archive;
}
template <typename BatchRequest>
serialize::InputArchive& operator>>(serialize::InputArchive& archive,
                                    Sampler<BatchRequest>& sampler) {
  sampler.load(archive);
  return archive;
}

}  // namespace data::samplers
}  // namespace tapedeck
