#include <cmath>
#include <ostream>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/nn/modules/rnn.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/internal/recurrent_steps.h>
#include <tapedeck/ops/linear.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::nn {

namespace detail {

namespace {

const char* cell_name(const RNNCellOptionsBase& options) {
  return options.num_chunks() == 4 ? "LSTMCell" : options.num_chunks() == 3 ? "GRUCell" : "RNNCell";
}

}  // namespace

template <typename Derived>
RNNCellImplBase<Derived>::RNNCellImplBase(const RNNCellOptionsBase& options_)
    : options_base(options_) {
  RNNCellImplBase::reset();
}
template <typename Derived>
void RNNCellImplBase<Derived>::reset() {
  const std::int64_t rows = options_base.num_chunks() * options_base.hidden_size();
  const bool biased = options_base.bias();
  weight_ih = this->register_parameter("weight_ih", empty({rows, options_base.input_size()}));
  weight_hh = this->register_parameter("weight_hh", empty({rows, options_base.hidden_size()}));
  bias_ih = this->register_parameter("bias_ih", biased ? empty(rows) : Tensor(), biased);
  bias_hh = this->register_parameter("bias_hh", biased ? empty(rows) : Tensor(), biased);
  reset_parameters();
}
template <typename Derived>
void RNNCellImplBase<Derived>::reset_parameters() {
  const double bound = options_base.hidden_size() > 0
                           ? 1 / std::sqrt(static_cast<double>(options_base.hidden_size()))
                           : 0;
  for (const Tensor& weight : this->parameters(false)) init::uniform_(weight, -bound, bound);
}
template <typename Derived>
void RNNCellImplBase<Derived>::pretty_print(std::ostream& stream) const {
  stream << text::name(cell_name(options_base)) << "(" << options_base.input_size() << ", "
         << options_base.hidden_size();
  if (!options_base.bias()) stream << ", bias=" << text::of_bool(false);
  const std::string nonlinearity = nonlinearity_text();
  if (!nonlinearity.empty()) stream << ", nonlinearity=" << nonlinearity;
  stream << ")";
}
template <typename Derived>
Tensor RNNCellImplBase<Derived>::batched(const Tensor& x, std::int64_t features,
                                         const char* what) const {
  TAPEDECK_CHECK_DEFINED(cell_name(options_base), x);
  TAPEDECK_CHECK((x.dim() == 1 || x.dim() == 2) && x.size(-1) == features, cell_name(options_base),
                 ": expected ", what, " of shape [N, ", features, "] or [", features, "], got ",
                 x.sizes());
  return x.dim() == 1 ? x.unsqueeze(0) : x;
}
template <typename Derived>
Tensor RNNCellImplBase<Derived>::state_or_zeros(const Tensor& state, const Tensor& input) const {
  const std::int64_t size = options_base.hidden_size();
  if (!state.defined()) return zeros({input.size(0), size}, input.options());
  const Tensor result = batched(state, size, "a state");
  TAPEDECK_CHECK(result.size(0) == input.size(0), cell_name(options_base),
                 ": the batch of the input, ", input.sizes(), ", is not that of the state, ",
                 state.sizes());
  return result;
}

template class RNNCellImplBase<RNNCellImpl>;
template class RNNCellImplBase<LSTMCellImpl>;
template class RNNCellImplBase<GRUCellImpl>;

}  // namespace detail

RNNCellImpl::RNNCellImpl(const RNNCellOptions& options_)
    : RNNCellImplBase(detail::RNNCellOptionsBase(options_.input_size(), options_.hidden_size(),
                                                 options_.bias(), 1)),
      options(options_) {}
std::string RNNCellImpl::nonlinearity_text() const {
  return holds_alternative<enumtype::kReLU>(options.nonlinearity())
             ? text::of_choice(enumtype::Alternative::ReLU)
             : "";
}
Tensor RNNCellImpl::forward(const Tensor& input, const Tensor& hx) {
  return detail::call_module(
      *this,
      [this](const Tensor& x, const Tensor& h) {
        const Tensor rows = batched(x, options.input_size(), "an input");
        const Tensor state = state_or_zeros(h, rows);
        const bool relu = holds_alternative<enumtype::kReLU>(options.nonlinearity());
        const Tensor next = tapedeck::detail::rnn_step(linear(rows, weight_ih, bias_ih),
                                                       linear(state, weight_hh, bias_hh), relu);
        return x.dim() == 1 ? next.squeeze(0) : next;
      },
      input, hx);
}

LSTMCellImpl::LSTMCellImpl(const LSTMCellOptions& options_)
    : RNNCellImplBase(detail::RNNCellOptionsBase(options_.input_size(), options_.hidden_size(),
                                                 options_.bias(), 4)),
      options(options_) {}
std::tuple<Tensor, Tensor> LSTMCellImpl::forward(const Tensor& input,
                                                 std::optional<std::tuple<Tensor, Tensor>> hx_opt) {
  return detail::call_module(
      *this,
      [&](const Tensor& x) {
        const auto given = hx_opt.value_or(std::tuple<Tensor, Tensor>());
        const Tensor rows = batched(x, options.input_size(), "an input");
        const Tensor h = state_or_zeros(std::get<0>(given), rows);
        const Tensor c = state_or_zeros(std::get<1>(given), rows);
        const auto [next_h, next_c] = tapedeck::detail::lstm_step(linear(rows, weight_ih, bias_ih),
                                                                  linear(h, weight_hh, bias_hh), c);
        if (x.dim() == 1) return std::tuple(next_h.squeeze(0), next_c.squeeze(0));
        return std::tuple(next_h, next_c);
      },
      input);
}

GRUCellImpl::GRUCellImpl(const GRUCellOptions& options_)
    : RNNCellImplBase(detail::RNNCellOptionsBase(options_.input_size(), options_.hidden_size(),
                                                 options_.bias(), 3)),
      options(options_) {}
Tensor GRUCellImpl::forward(const Tensor& input, const Tensor& hx) {
  return detail::call_module(
      *this,
      [this](const Tensor& x, const Tensor& h) {
        const Tensor rows = batched(x, options.input_size(), "an input");
        const Tensor state = state_or_zeros(h, rows);
        const Tensor next = tapedeck::detail::gru_step(linear(rows, weight_ih, bias_ih),
                                                       linear(state, weight_hh, bias_hh), state);
        return x.dim() == 1 ? next.squeeze(0) : next;
      },
      input, hx);
}

TAPEDECK_DEFINE_DEFAULT_ARGS(RNNCellImpl, {1, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(LSTMCellImpl,
                             {1, AnyValue(std::optional<std::tuple<Tensor, Tensor>>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(GRUCellImpl, {1, AnyValue(Tensor())})

}  // namespace tapedeck::nn
