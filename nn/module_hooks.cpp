#include <tapedeck/nn/module_hooks.h>

#include <algorithm>

#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>
#include <tapedeck/nn/internal/module_hooks.h>
#include <tapedeck/nn/module.h>

namespace tapedeck::nn {

namespace {

template <typename Hook>
void erase_id(detail::HookList<Hook>& list, std::size_t id) {
  std::erase_if(list, [id](const auto& entry) { return entry.first == id; });
}

template <typename Hook>
RemovableHandle add_hook(const std::shared_ptr<detail::ModuleHooks>& hooks,
                         detail::HookList<Hook>& list, Hook hook) {
  const std::size_t id = hooks->next_id++;
  list.emplace_back(id, std::move(hook));
  return {hooks, id};
}

std::shared_ptr<detail::ModuleHooks>& ensure(std::shared_ptr<detail::ModuleHooks>& hooks) {
  if (!hooks) hooks = std::make_shared<detail::ModuleHooks>();
  return hooks;
}

void check_count(const char* kind, std::size_t expected, std::size_t got) {
  TAPEDECK_CHECK(expected == got, kind, ": the hook must keep the number of tensors: expected ",
                 expected, ", got ", got);
}

// Tensors that share memory with the given ones, and whose gradients pass through `vjp`. Those that
// need no gradient are left as they are.
template <typename Vjp>
void wrap(std::vector<Tensor>& tensors, Vjp vjp) {
  std::vector<Tensor> inputs, outputs;
  for (const Tensor& t : tensors)
    if (t.requires_grad()) {
      inputs.push_back(t);
      outputs.push_back(autograd::make_view(t, t.array()));
    }
  if (inputs.empty()) return;
  autograd::record(outputs, "BackwardHookFunctionBackward", autograd::edge_list(inputs),
                   std::move(vjp));
  auto from = outputs.begin();
  for (Tensor& t : tensors)
    if (t.requires_grad()) t = *from++;
}

// The places in `tensors` that take part in the backward pass.
std::vector<std::size_t> differentiable(const std::vector<Tensor>& tensors) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].requires_grad()) places.push_back(i);
  return places;
}

std::vector<Tensor> spread(const autograd::Gradients& grads, const std::vector<std::size_t>& places,
                           std::size_t size) {
  std::vector<Tensor> all(size);
  for (std::size_t i = 0; i < places.size(); ++i) all[places[i]] = grads[i];
  return all;
}

}  // namespace

void RemovableHandle::remove() {
  const auto hooks = hooks_.lock();
  if (!hooks) return;
  erase_id(hooks->before_forward, id_);
  erase_id(hooks->after_forward, id_);
  erase_id(hooks->after_backward, id_);
}

RemovableHandle Module::register_forward_pre_hook(ForwardPreHook hook) {
  ensure(hooks_);
  return add_hook(hooks_, hooks_->before_forward, std::move(hook));
}
RemovableHandle Module::register_forward_hook(ForwardHook hook) {
  ensure(hooks_);
  return add_hook(hooks_, hooks_->after_forward, std::move(hook));
}
RemovableHandle Module::register_full_backward_hook(BackwardHook hook) {
  ensure(hooks_);
  return add_hook(hooks_, hooks_->after_backward, std::move(hook));
}

namespace detail {

namespace {
thread_local const Module* innermost_module = nullptr;

std::string describe(const void* module) { return static_cast<const Module*>(module)->path(); }
}  // namespace

// The two ends of a call in the backward pass: the gradients of the outputs arrive first and are
// kept until those of the inputs are there.
class ForwardCall::BackwardLink {
 public:
  BackwardLink(Module& module, std::shared_ptr<ModuleHooks> hooks)
      : module_(module), keep_alive_(module.weak_from_this().lock()), hooks_(std::move(hooks)) {}

  std::vector<Tensor> run(std::vector<Tensor> grad_inputs) {
    const std::vector<Tensor> grad_outputs = std::move(grad_outputs_);
    grad_outputs_.clear();
    const std::size_t count = grad_inputs.size();
    const HookList<BackwardHook> hooks = hooks_->after_backward;
    for (const auto& [id, hook] : hooks) {
      hook(module_, grad_inputs, grad_outputs);
      check_count("backward hook", count, grad_inputs.size());
    }
    return grad_inputs;
  }

  std::vector<Tensor> grad_outputs_;

 private:
  Module& module_;
  std::shared_ptr<Module> keep_alive_;
  std::shared_ptr<ModuleHooks> hooks_;
};

ForwardCall::ForwardCall(Module& module) noexcept
    : module_(module), scope_(&module, describe), outer_(innermost_module) {
  if (outer_ != &module && module.hooks_ && !module.hooks_->empty()) hooks_ = module.hooks_;
  innermost_module = &module;
}

ForwardCall::~ForwardCall() { innermost_module = outer_; }

Tensor ForwardCall::before(const Tensor& input) {
  std::vector<Tensor> inputs{input};
  before(inputs);
  return std::move(inputs[0]);
}
Tensor ForwardCall::after(const Tensor& output) {
  std::vector<Tensor> outputs{output};
  after(outputs);
  return std::move(outputs[0]);
}

void ForwardCall::before(std::vector<Tensor>& inputs) {
  const std::size_t count = inputs.size();
  const HookList<ForwardPreHook> hooks = hooks_->before_forward;
  for (const auto& [id, hook] : hooks) {
    hook(module_, inputs);
    check_count("forward pre-hook", count, inputs.size());
  }
  inputs_ = inputs;
  if (hooks_->after_backward.empty() || !GradMode::is_enabled()) return;
  link_ = std::make_shared<BackwardLink>(module_, hooks_);
  wrap(inputs, [link = link_, places = differentiable(inputs), count](
                   const autograd::Gradients& grads, const autograd::VjpContext&) {
    const std::vector<Tensor> given = link->run(spread(grads, places, count));
    autograd::Gradients result(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) result[i] = given[places[i]];
    return result;
  });
}

void ForwardCall::after(std::vector<Tensor>& outputs) {
  const std::size_t count = outputs.size();
  const HookList<ForwardHook> hooks = hooks_->after_forward;
  for (const auto& [id, hook] : hooks) {
    hook(module_, inputs_, outputs);
    check_count("forward hook", count, outputs.size());
  }
  if (!link_) return;
  // Where no input needs a gradient, nothing comes later.
  const bool last = differentiable(inputs_).empty();
  wrap(outputs,
       [link = link_, places = differentiable(outputs), count, last, inputs = inputs_.size()](
           const autograd::Gradients& grads, const autograd::VjpContext&) {
         link->grad_outputs_ = spread(grads, places, count);
         if (last) link->run(std::vector<Tensor>(inputs));
         return grads;
       });
}

}  // namespace detail
}  // namespace tapedeck::nn
