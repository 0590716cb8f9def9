#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include <tapedeck/nn/module.h>
#include <tapedeck/nn/module_holder.h>

namespace tapedeck::nn {

/// What a forward pass of a model consists of: its layers in the order of their calls, with the
/// shapes of their results and the numbers of their parameters. Prints as the Python package
/// torchsummary does.
struct Summary {
  struct Layer {
    std::string name;                                ///< "Conv2d-1"
    std::vector<std::vector<std::int64_t>> outputs;  ///< shapes; the batch is -1
    std::int64_t parameters = 0;
    bool trainable = false;
  };

  std::vector<Layer> layers;
  std::int64_t total_parameters = 0;
  std::int64_t trainable_parameters = 0;
  double input_megabytes = 0;
  double forward_backward_megabytes = 0;  ///< results, and their gradients
  double parameters_megabytes = 0;

  double total_megabytes() const {
    return input_megabytes + forward_backward_megabytes + parameters_megabytes;
  }
};
std::ostream& operator<<(std::ostream& stream, const Summary& summary);

namespace detail {
Summary summarize(Module& model, const std::function<void(const Tensor&)>& forward,
                  IntArrayRef input_size, std::int64_t batch_size);
template <typename Model>
Module& module_of(Model& model) {
  if constexpr (is_module<Model>)
    return model;
  else
    return *model;
}
}  // namespace detail

/// Runs `model` once, without recording, on random numbers of `input_size` (without the batch, of
/// which there are two), in the dtype of its first parameter. Of its parts all but Sequentials and
/// ModuleLists are listed. `model` is a module, a holder or a shared pointer.
template <typename Model>
Summary summary(Model& model, IntArrayRef input_size, std::int64_t batch_size = -1) {
  return detail::summarize(
      detail::module_of(model),
      [&model](const Tensor& x) {
        if constexpr (detail::is_module<Model>)
          (void)model.forward(x);
        else
          (void)model->forward(x);
      },
      input_size, batch_size);
}

}  // namespace tapedeck::nn
