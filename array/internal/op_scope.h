#pragma once

namespace tapedeck::detail {

/// While it lives, errors made on this thread begin with the name of the operation that the user
/// called, the outermost one: operations composed of others open one, so that `kl_div` says so
/// where its `mul` throws. It costs two stores.
class OpScope {
 public:
  explicit OpScope(const char* op) noexcept;
  ~OpScope();
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  const char* outer_;
};

}  // namespace tapedeck::detail
