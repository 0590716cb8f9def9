#include <sstream>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/nn/module.h>

namespace tapedeck::nn {

namespace {

std::string quoted(const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "\"" : ", \"") + key + "\"";
  return text;
}

std::string torch_size(IntArrayRef sizes) {
  std::ostringstream text;
  text << "torch.Size(" << sizes << ")";
  return text.str();
}

}  // namespace

void Module::collect_state(const std::string& prefix,
                           OrderedDict<std::string, Tensor>& state) const {
  for (const auto* tensors : {&parameters_, &buffers_})
    for (const auto& item : *tensors)
      if (item.value().defined()) state.insert(prefix + item.key(), item.value().detach());
  for (const auto& child : children_)
    if (child.value()) child.value()->collect_state(prefix + child.key() + ".", state);
}

OrderedDict<std::string, Tensor> Module::state_dict(const std::string& prefix) const {
  OrderedDict<std::string, Tensor> state;
  collect_state(prefix, state);
  return state;
}

IncompatibleKeys Module::load_state_dict(const OrderedDict<std::string, Tensor>& state,
                                         bool strict) {
  const OrderedDict<std::string, Tensor> own = state_dict();
  IncompatibleKeys keys;
  std::vector<std::string> mismatches;
  for (const auto& item : own) {
    const Tensor* given = state.find(item.key());
    if (!given || !given->defined()) {
      keys.missing_keys.push_back(item.key());
    } else if (!given->sizes().equals(item.value().sizes())) {
      mismatches.push_back("size mismatch for " + item.key() + ": copying a param with shape " +
                           torch_size(given->sizes()) +
                           " from checkpoint, the shape in current model is " +
                           torch_size(item.value().sizes()) + ".");
    }
  }
  for (const auto& item : state)
    if (!own.contains(item.key())) keys.unexpected_keys.push_back(item.key());

  std::vector<std::string> errors;
  if (strict && !keys.missing_keys.empty())
    errors.push_back("Missing key(s) in state_dict: " + quoted(keys.missing_keys) + ". ");
  if (strict && !keys.unexpected_keys.empty())
    errors.push_back("Unexpected key(s) in state_dict: " + quoted(keys.unexpected_keys) + ". ");
  errors.insert(errors.end(), mismatches.begin(), mismatches.end());
  if (!errors.empty()) {
    std::string message = "Error(s) in loading state_dict for " + short_name() + ":";
    for (const std::string& error : errors) message += "\n\t" + error;
    tapedeck::detail::fail(std::move(message));
  }

  const NoGradGuard no_grad;
  for (const auto& item : own)
    if (const Tensor* given = state.find(item.key()); given && given->defined())
      item.value().copy_(*given);
  return keys;
}

}  // namespace tapedeck::nn
