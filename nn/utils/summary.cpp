#include <tapedeck/nn/utils/summary.h>

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/nn/modules/container/module_list.h>
#include <tapedeck/nn/modules/container/sequential.h>
#include <tapedeck/ops/random.h>

namespace tapedeck::nn {

namespace {

constexpr double kMegabyte = 1024.0 * 1024.0;
constexpr double kBytes = 4;  // of a number, as the layout of this table assumes

// The class's name, without its parameters: what stands before the parenthesis of its printed form.
std::string class_name(const Module& module) {
  std::ostringstream text;
  module.pretty_print(text);
  return text.str().substr(0, text.str().find('('));
}

std::string with_commas(std::int64_t value) {
  std::string text = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::string shapes_text(const std::vector<std::vector<std::int64_t>>& shapes) {
  if (shapes.size() == 1) return shape_text(shapes[0]);
  std::string text = "[";
  for (std::size_t i = 0; i < shapes.size(); ++i)
    text += (i == 0 ? "" : ", ") + shape_text(shapes[i]);
  return text + "]";
}

double numel(const std::vector<std::int64_t>& shape) {
  double count = 1;
  for (const std::int64_t size : shape) count *= static_cast<double>(size);
  return count;
}

}  // namespace

namespace detail {

Summary summarize(Module& model, const std::function<void(const Tensor&)>& forward,
                  IntArrayRef input_size, std::int64_t batch_size) {
  Summary result;
  std::vector<RemovableHandle> handles;
  const auto describe = [&](Module& module, const std::vector<Tensor>&,
                            std::vector<Tensor>& outputs) {
    Summary::Layer layer;
    layer.name = class_name(module) + "-" + std::to_string(result.layers.size() + 1);
    for (const Tensor& output : outputs) {
      std::vector<std::int64_t> shape = output.sizes().vec();
      if (!shape.empty()) shape[0] = batch_size;
      layer.outputs.push_back(std::move(shape));
    }
    for (const auto& item : module.named_parameters(false)) {
      layer.parameters += item.value().numel();
      layer.trainable = layer.trainable || item.value().requires_grad();
    }
    result.layers.push_back(std::move(layer));
  };
  model.apply([&](Module& module) {
    if (&module == &model || module.as<SequentialImpl>() || module.as<ModuleListImpl>()) return;
    handles.push_back(module.register_forward_hook(describe));
  });

  const NoGradGuard no_grad;
  DimVector sizes(input_size);
  sizes.insert(0, 2);
  const std::vector<Tensor> parameters = model.parameters();
  const ScalarType dtype = parameters.empty() ? get_default_dtype() : parameters[0].dtype();
  try {
    forward(rand(sizes, dtype));
  } catch (...) {
    for (RemovableHandle& handle : handles) handle.remove();
    throw;
  }
  for (RemovableHandle& handle : handles) handle.remove();

  double outputs = 0;
  for (const Summary::Layer& layer : result.layers) {
    result.total_parameters += layer.parameters;
    if (layer.trainable) result.trainable_parameters += layer.parameters;
    for (const auto& shape : layer.outputs) outputs += std::abs(numel(shape));
  }
  const double input = std::abs(numel(input_size.vec()) * static_cast<double>(batch_size));
  result.input_megabytes = input * kBytes / kMegabyte;
  result.forward_backward_megabytes = 2 * outputs * kBytes / kMegabyte;
  result.parameters_megabytes = static_cast<double>(result.total_parameters) * kBytes / kMegabyte;
  return result;
}

}  // namespace detail

std::ostream& operator<<(std::ostream& stream, const Summary& summary) {
  const std::string thin(64, '-'), thick(64, '=');
  std::ostringstream out;
  const auto line = [&out](const std::string& layer, const std::string& shape,
                           const std::string& count) {
    out << std::setw(20) << layer << "  " << std::setw(25) << shape << " " << std::setw(15) << count
        << "\n";
  };
  out << thin << "\n";
  line("Layer (type)", "Output Shape", "Param #");
  out << thick << "\n";
  for (const Summary::Layer& layer : summary.layers)
    line(layer.name, shapes_text(layer.outputs), with_commas(layer.parameters));
  out << thick << "\n"
      << "Total params: " << with_commas(summary.total_parameters) << "\n"
      << "Trainable params: " << with_commas(summary.trainable_parameters) << "\n"
      << "Non-trainable params: "
      << with_commas(summary.total_parameters - summary.trainable_parameters) << "\n"
      << thin << "\n"
      << std::fixed << std::setprecision(2) << "Input size (MB): " << summary.input_megabytes
      << "\n"
      << "Forward/backward pass size (MB): " << summary.forward_backward_megabytes << "\n"
      << "Params size (MB): " << summary.parameters_megabytes << "\n"
      << "Estimated Total Size (MB): " << summary.total_megabytes() << "\n"
      << thin << "\n";
  return stream << out.str();
}

}  // namespace tapedeck::nn
