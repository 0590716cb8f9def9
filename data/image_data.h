#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <tapedeck/array/array_ref.h>
#include <tapedeck/autograd/variable.h>
#include <tapedeck/data/example.h>

namespace tapedeck::data {

/// Labelled images in memory, as bytes; handed out as ToTensor does, float32 of [0, 1]. A handle:
/// copies share the images.
class ImageData {
 public:
  /// `pixels` uint8 [N, C, H, W], `labels` integers [N] of [0, classes).
  /// \throws Error that begins with `name` where counts, shapes or labels do not fit.
  ImageData(const Variable& pixels, const Variable& labels, std::int64_t classes, std::string name);

  std::size_t size() const { return static_cast<std::size_t>(pixels_.size(0)); }
  /// Image [C, H, W] and label []. \throws IndexError beyond the last.
  Example<> get(std::size_t index) const;
  /// Images [B, C, H, W] and labels [B], in one pass.
  Example<> get_stacked(ArrayRef<std::size_t> indices) const;

  /// All images, float32 [N, C, H, W]: converted when first asked for.
  const Variable& images() const;
  /// All labels, int64 [N].
  const Variable& targets() const { return targets_; }
  /// The bytes.
  const Variable& pixels() const { return pixels_; }
  /// The first `count` of them.
  ImageData first(std::size_t count) const;

 private:
  struct Converted;
  void check_index(std::size_t index) const;

  Variable pixels_, targets_;
  std::string name_;
  std::shared_ptr<Converted> converted_;
};

}  // namespace tapedeck::data
