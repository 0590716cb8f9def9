#pragma once

#include <functional>
#include <utility>

#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>

namespace tapedeck::nn {

/// A function as a module: `Functional(relu)`, `Functional(elu, 1.0, 0, 1.0)`.
class FunctionalImpl : public Cloneable<FunctionalImpl> {
 public:
  using Function = std::function<Tensor(Tensor)>;

  explicit FunctionalImpl(Function function);
  /// The arguments are those of `function` after the first.
  template <typename SomeFunction, typename... Args>
  requires(sizeof...(Args) > 0)  //
      explicit FunctionalImpl(SomeFunction function, Args&&... args)
      : function_([function = std::move(function),
                   ... rest = std::decay_t<Args>(std::forward<Args>(args))](Tensor input) {
          return function(std::move(input), rest...);
        }) {}

  void reset() override {}
  void pretty_print(std::ostream& stream) const override;
  Tensor forward(Tensor input);
  Tensor operator()(Tensor input) { return forward(std::move(input)); }
  /// False: a function cannot be saved.
  bool is_serializable() const override;

 private:
  Function function_;
};
TAPEDECK_LIBRARY_MODULE(Functional);

}  // namespace tapedeck::nn
