#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <tapedeck/nn/module_hooks.h>

namespace tapedeck::nn::detail {

template <typename Hook>
using HookList = std::vector<std::pair<std::size_t, Hook>>;

struct ModuleHooks {
  HookList<ForwardPreHook> before_forward;
  HookList<ForwardHook> after_forward;
  HookList<BackwardHook> after_backward;
  std::size_t next_id = 0;

  bool empty() const {
    return before_forward.empty() && after_forward.empty() && after_backward.empty();
  }
};

}  // namespace tapedeck::nn::detail
