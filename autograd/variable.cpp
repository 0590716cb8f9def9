#include <tapedeck/autograd/variable.h>

#include <algorithm>
#include <string_view>

#include <tapedeck/array/warning.h>

#include <tapedeck/autograd/autograd.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/autograd/view.h>

namespace tapedeck {

namespace {
thread_local bool recording = true;
}

bool GradMode::is_enabled() { return recording && !InferenceMode::is_enabled(); }
void GradMode::set_enabled(bool enabled) { recording = enabled; }

InferenceMode::InferenceMode(bool enabled)
    : was_inference_(is_enabled()), was_recording_(recording) {
  StorageImpl::set_inference_mode(enabled);
  recording = !enabled;
}
InferenceMode::~InferenceMode() {
  StorageImpl::set_inference_mode(was_inference_);
  recording = was_recording_;
}
bool InferenceMode::is_enabled() { return StorageImpl::inference_mode(); }

namespace autograd {

VariableImpl::VariableImpl(Array&& value) : array(std::move(value)) {}
VariableImpl::~VariableImpl() = default;

std::uint32_t VersionCounter::current_version() const {
  TAPEDECK_CHECK(!storage_.is_inference(), "Inference tensors do not track version counter.");
  return storage_.version();
}

void VariableImpl::bump_version() {
  check_inference_write(array, "bump_version");
  array.storage()->bump_version();
}

namespace {

GradState& grad_state_of(VariableImpl& impl) {
  if (!impl.grad_state) impl.grad_state = make_intrusive<GradState>();
  return *impl.grad_state;
}

// A view whose base was changed since its own op was recorded: its history is now that of its base,
// seen through its strides.
void refresh_view(VariableImpl& impl) {
  if (!impl.base || !impl.follows_base()) return;
  const std::uint32_t version = impl.array.storage()->version();
  if (impl.grad_fn_version == version) return;
  const Variable base(impl.base);
  if (base.requires_grad()) {
    const AutoGradMode on(true);
    const Variable fresh = view_of_base(base, impl.array);
    impl.grad_fn = fresh.impl()->grad_fn;
    impl.output_nr = fresh.impl()->output_nr;
  }
  impl.grad_fn_version = version;
}

}  // namespace

Edge gradient_edge(const Variable& v) {
  VariableImpl* impl = v.impl();
  if (!impl) return {};
  refresh_view(*impl);
  if (impl->grad_fn) return {impl->grad_fn, impl->output_nr};
  if (!impl->requires_grad) return {};
  if (!impl->accumulator) {
    GradState& state = grad_state_of(*impl);
    impl->accumulator =
        make_intrusive<AccumulateGrad>(intrusive_ptr<GradState>(&state), impl->array);
  }
  return {impl->accumulator, 0};
}

void set_history(Variable& v, intrusive_ptr<Node> node) {
  VariableImpl& impl = *v.impl();
  impl.output_nr = node->add_output(impl.array.sizes(), impl.array.dtype());
  impl.grad_fn = std::move(node);
  if (impl.base) impl.grad_fn_version = impl.array.storage()->version();
}

}  // namespace autograd

using autograd::GradState;
using autograd::VariableImpl;

Variable::Variable(Array value) : VariableMath(make_intrusive<VariableImpl>(std::move(value))) {}

Variable& Variable::operator=(const Variable& other) && { return copy_(other); }
Variable& Variable::operator=(Variable&& other) && { return copy_(other); }
Variable& Variable::operator=(Scalar value) && { return fill_(value); }

void detail::fail_undefined(const char* op, const char* names,
                            std::initializer_list<bool> defined) {
  // "*this, other": the place of the first undefined argument in it.
  std::string_view rest = names;
  for (const bool is_defined : defined) {
    const std::string_view name = rest.substr(0, rest.find(','));
    if (!is_defined)
      fail(str(
          op,
          ": expected a defined tensor, got an undefined one (a default-constructed Tensor) as ",
          name == "*this" ? "self" : name));
    rest.remove_prefix(std::min(rest.size(), name.size() + 2));
  }
  fail(str(op, ": expected defined tensors"));
}

void VariableBase::fail_undefined() {
  detail::fail("expected a defined tensor, got an undefined one (a default-constructed Tensor)");
}

const std::string& VariableBase::name() const {
  static const std::string none;
  if (!defined()) fail_undefined();
  return none;
}

bool VariableBase::is_alias_of(const VariableBase& other) const {
  return array().shares_storage(other.array());
}

void VariableBase::check_dtype(ScalarType wanted, const char* op) const {
  TAPEDECK_CHECK_AS(TypeError, dtype() == wanted, op, ": expected scalar type ", wanted,
                    " but found ", dtype(), " (shape ", sizes(), ")");
}

void VariableBase::check_accessor(ScalarType wanted, std::size_t dims) const {
  check_dtype(wanted, "accessor");
  TAPEDECK_CHECK(static_cast<std::size_t>(dim()) == dims, "accessor: expected ", dims,
                 " dims but tensor has ", dim(), " dims (shape ", sizes(), ")");
}

TensorOptions VariableBase::options() const {
  return TensorOptions().dtype(dtype()).device(kCPU).layout(kStrided);
}
std::string VariableBase::toString() const {
  return defined() ? "CPU" + std::string(to_string(dtype())) + "Type" : "UndefinedType";
}

bool Variable::requires_grad() const {
  if (!impl_) return false;
  if (impl_->requires_grad || impl_->grad_fn) return true;
  if (!impl_->base) return false;
  // A view made without recording says what its base says, though no gradient passes through it.
  return impl_->follows_base() ? autograd::gradient_edge(*this).is_valid()
                               : Variable(impl_->base).requires_grad();
}

const Variable& Variable::requires_grad_(bool requires_grad) const {
  TAPEDECK_CHECK_DEFINED("requires_grad_", *this);
  TAPEDECK_CHECK(!requires_grad || tapedeck::is_floating_point(dtype()),
                 "requires_grad_: Only Tensors of floating point and complex dtype can require "
                 "gradients, got ",
                 dtype(), " (shape ", sizes(), ")");
  TAPEDECK_CHECK(
      !requires_grad || !is_inference() || InferenceMode::is_enabled(),
      "requires_grad_: Setting requires_grad=True on inference tensor outside InferenceMode is not "
      "allowed. (shape ",
      sizes(), ")");
  const bool leaf = is_leaf();
  TAPEDECK_CHECK(leaf || requires_grad,
                 "requires_grad_: you can only change requires_grad flags of leaf variables. If "
                 "you want to use a "
                 "computed variable in a subgraph that doesn't require differentiation use "
                 "detach()");
  if (leaf) impl_->requires_grad = requires_grad;
  return *this;
}
const Variable& Variable::set_requires_grad(bool requires_grad) const {
  // As in libtorch, what is computed from tensors that require grad stays as it is.
  return is_leaf() ? requires_grad_(requires_grad) : *this;
}

bool Variable::is_leaf() const {
  return !defined() || (impl_->base && !impl_->follows_base()) || !grad_fn();
}

intrusive_ptr<autograd::Node> Variable::grad_fn() const {
  TAPEDECK_CHECK_DEFINED("grad_fn", *this);
  if (!impl_->base) return impl_->grad_fn;
  TAPEDECK_CHECK(impl_->creation_meta != autograd::CreationMeta::INFERENCE_MODE ||
                     impl_->grad_fn_version == impl_->array.storage()->version() ||
                     !requires_grad(),
                 "A view was created in inference mode and its base or another view of its base "
                 "has been modified inplace with grad mode enabled (shape ",
                 sizes(), ")");
  autograd::gradient_edge(*this);
  return impl_->grad_fn;
}

const Variable& Variable::grad() const {
  static const Variable none;
  TAPEDECK_CHECK_DEFINED("grad", *this);
  if (impl_->grad_state)
    if (const Variable& gathered = impl_->grad_state->shown(); gathered.defined()) return gathered;
  if (impl_->grad_fn && !retains_grad())
    TAPEDECK_WARN(
        "grad: this Tensor is not a leaf, so backward does not keep its gradient; retain_grad() "
        "before backward does (shape ",
        sizes(), ")");
  return none;
}

Variable& Variable::mutable_grad() const {
  TAPEDECK_CHECK_DEFINED("mutable_grad", *this);
  return autograd::grad_state_of(*impl_).shown();
}

void Variable::retain_grad() const {
  TAPEDECK_CHECK_DEFINED("retain_grad", *this);
  TAPEDECK_CHECK(requires_grad(),
                 "retain_grad: can't retain_grad on Tensor that has requires_grad=False");
  if (is_leaf() || retains_grad()) return;
  GradState& state = autograd::grad_state_of(*impl_);
  state.retains_grad = true;
  intrusive_ptr<GradState> keep(&state);
  state.retain_key = grad_fn()->add_hook(impl_->output_nr, [keep](const Variable& g) {
    keep->add_copy(g);
    return Variable();
  });
}

bool Variable::retains_grad() const {
  return defined() && impl_->grad_state && impl_->grad_state->retains_grad;
}

unsigned Variable::add_hook(autograd::Node::Hook hook) const {
  TAPEDECK_CHECK_DEFINED("register_hook", *this);
  TAPEDECK_CHECK(
      requires_grad(),
      "register_hook: cannot register a hook on a variable that doesn't require gradient");
  if (const auto node = grad_fn()) return node->add_hook(impl_->output_nr, std::move(hook));
  GradState& state = autograd::grad_state_of(*impl_);
  state.leaf_hooks.emplace_back(state.next_hook_key, std::move(hook));
  return state.next_hook_key++;
}

void Variable::remove_hook(unsigned position) const {
  TAPEDECK_CHECK_DEFINED("remove_hook", *this);
  if (const auto node = grad_fn()) {
    node->remove_hook(position);
    return;
  }
  GradState& state = autograd::grad_state_of(*impl_);
  for (auto it = state.leaf_hooks.begin(); it != state.leaf_hooks.end(); ++it)
    if (it->first == position) {
      state.leaf_hooks.erase(it);
      return;
    }
  detail::fail<IndexError>(
      detail::str("remove_hook: Invalid index: no hook at position ", position));
}

std::int64_t Variable::_version() const {
  TAPEDECK_CHECK_DEFINED("_version", *this);
  return impl_->version_counter().current_version();
}
bool Variable::is_view() const {
  TAPEDECK_CHECK_DEFINED("is_view", *this);
  return static_cast<bool>(impl_->base);
}
Variable Variable::_base() const {
  TAPEDECK_CHECK(is_view(), "_base: can't get the base of a tensor that is not a view");
  return Variable(impl_->base);
}

Variable Variable::detach() const {
  TAPEDECK_CHECK_DEFINED("detach", *this);
  return Variable(array());
}

Variable& Variable::detach_() const {
  TAPEDECK_CHECK_DEFINED("detach_", *this);
  TAPEDECK_CHECK(!is_view(), "detach_: can't detach views in-place: use detach() instead");
  impl_->grad_fn.reset();
  impl_->output_nr = 0;
  impl_->requires_grad = false;
  return const_cast<Variable&>(*this);
}

Variable Variable::data() const {
  TAPEDECK_CHECK_DEFINED("data", *this);
  Variable result(array());
  result.impl_->counts_versions = false;
  return result;
}

void Variable::set_data(const Variable& value) const {
  TAPEDECK_CHECK_DEFINED("set_data", *this, value);
  TAPEDECK_CHECK(is_leaf(), "set_data: only a leaf's value can be replaced");
  TAPEDECK_CHECK(!is_view(), "set_data: a view's value cannot be replaced");
  TAPEDECK_CHECK(!requires_grad() || value.is_floating_point(),
                 "set_data: this tensor requires grad, which values of dtype ", value.dtype(),
                 " cannot");
  impl_->array = value.array();
  // The next graph starts at an accumulator of the new shape and dtype.
  impl_->accumulator.reset();
}

void Variable::backward(const Variable& gradient, std::optional<bool> retain_graph,
                        bool create_graph, std::optional<TensorList> inputs) const {
  TAPEDECK_CHECK_DEFINED("backward", *this);
  TAPEDECK_CHECK(!inputs || !inputs->empty(),
                 "backward: 'inputs' argument to backward cannot be empty");
  autograd::backward(*this, gradient.defined() ? TensorList(gradient) : TensorList(), retain_graph,
                     create_graph, inputs.value_or(TensorList()));
}

}  // namespace tapedeck
