#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <tapedeck/autograd/variable.h>

namespace tapedeck::nn {

class Module;

/// Called before a module's forward with its tensor arguments, which it may replace.
using ForwardPreHook = std::function<void(Module&, std::vector<Tensor>& inputs)>;
/// Called after a module's forward with its tensor arguments and results; it may replace the
/// latter.
using ForwardHook =
    std::function<void(Module&, const std::vector<Tensor>& inputs, std::vector<Tensor>& outputs)>;
/// Called when the gradients with respect to a module's inputs were computed, which it may replace.
/// Inputs that need no gradient have an undefined one.
using BackwardHook = std::function<void(Module&, std::vector<Tensor>& grad_inputs,
                                        const std::vector<Tensor>& grad_outputs)>;

namespace detail {

struct ModuleHooks;
}  // namespace detail

/// What registering a hook returns: `handle.remove()` takes it off again. Dropping the handle
/// leaves the hook in place.
class RemovableHandle {
 public:
  RemovableHandle() = default;
  RemovableHandle(std::weak_ptr<detail::ModuleHooks> hooks, std::size_t id)
      : hooks_(std::move(hooks)), id_(id) {}
  void remove();

 private:
  std::weak_ptr<detail::ModuleHooks> hooks_;
  std::size_t id_ = 0;
};

namespace detail {

/// What goes on around a module's forward: errors made in it are located, hooks are run. Several of
/// them for the same call (a holder's, then the layer's own) count once.
class ForwardCall {
 public:
  explicit ForwardCall(Module& module) noexcept;
  ~ForwardCall();
  ForwardCall(const ForwardCall&) = delete;
  ForwardCall& operator=(const ForwardCall&) = delete;

  bool has_hooks() const { return hooks_ != nullptr; }
  void before(std::vector<Tensor>& inputs);
  void after(std::vector<Tensor>& outputs);
  // The same for a single tensor.
  Tensor before(const Tensor& input);
  Tensor after(const Tensor& output);

 private:
  class BackwardLink;

  Module& module_;
  std::shared_ptr<ModuleHooks> hooks_;
  std::vector<Tensor> inputs_;
  std::shared_ptr<BackwardLink> link_;
  ErrorScope scope_;
  const Module* outer_;
};

template <typename T>
inline constexpr bool is_tuple = false;
template <typename... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

// The tensors among arguments and results: put into a list, and taken back from it in order.
template <typename T>
void give_tensors(const T& v, std::vector<Tensor>& list) {
  if constexpr (std::is_same_v<T, Tensor>)
    list.push_back(v);
  else if constexpr (std::is_same_v<T, std::vector<Tensor>>)
    for (const Tensor& each : v) list.push_back(each);
  else if constexpr (is_tuple<T>)
    std::apply([&](const auto&... each) { (give_tensors(each, list), ...); }, v);
}
template <typename T>
void take_tensors(T& v, const Tensor*& from) {
  if constexpr (std::is_same_v<T, Tensor>)
    v = *from++;
  else if constexpr (std::is_same_v<T, std::vector<Tensor>>)
    for (Tensor& each : v) each = *from++;
  else if constexpr (is_tuple<T>)
    std::apply([&](auto&... each) { (take_tensors(each, from), ...); }, v);
}

// A kept copy of an argument, as the argument was.
template <typename Arg>
decltype(auto) pass(std::decay_t<Arg>& value) {
  if constexpr (std::is_same_v<std::decay_t<Arg>, std::remove_cvref_t<Arg>>)
    return static_cast<Arg&&>(value);
  else
    return (value);
}

template <typename Result, typename Forward, typename... Args>
Result call_hooked(ForwardCall& call, Forward& forward, Args&&... args) {
  std::tuple<std::decay_t<Args>...> values(std::forward<Args>(args)...);
  std::vector<Tensor> list;
  give_tensors(values, list);
  call.before(list);
  const Tensor* from = list.data();
  take_tensors(values, from);
  list.clear();
  const auto run = [&](auto&... value) -> Result { return forward(pass<Args>(value)...); };
  if constexpr (std::is_void_v<Result>) {
    std::apply(run, values);
    call.after(list);
  } else {
    Result result = std::apply(run, values);
    give_tensors(result, list);
    call.after(list);
    from = list.data();
    take_tensors(result, from);
    return result;
  }
}

template <typename...>
struct Types;

/// forward(args...) as the forward of `module`: the way every call of a module goes.
template <typename Forward, typename... Args>
auto call_module(Module& module, Forward&& forward, Args&&... args)
    -> std::decay_t<decltype(forward(std::forward<Args>(args)...))> {
  using Result = std::decay_t<decltype(forward(std::forward<Args>(args)...))>;
  ForwardCall call(module);
  if (call.has_hooks()) [[unlikely]] {
    // The usual signature has a way of its own, which is quicker to compile.
    if constexpr (std::is_same_v<Types<Result, std::decay_t<Args>...>, Types<Tensor, Tensor>>) {
      Tensor input = call.before(args...);
      return call.after(forward(pass<Args>(input)...));
    } else {
      return call_hooked<Result>(call, forward, std::forward<Args>(args)...);
    }
  }
  return forward(std::forward<Args>(args)...);
}

}  // namespace detail
}  // namespace tapedeck::nn
