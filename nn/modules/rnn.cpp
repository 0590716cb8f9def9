#include <tapedeck/nn/modules/rnn.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include <tapedeck/array/warning.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/activation.h>
#include <tapedeck/ops/arithmetic.h>
#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/dropout.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/internal/recurrent_steps.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/linear.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck::nn {

namespace detail {

namespace {

template <typename Mode>
bool is(const RNNOptionsBase& options) {
  return holds_alternative<Mode>(options.mode());
}
bool is_lstm(const RNNOptionsBase& options) { return is<enumtype::kLSTM>(options); }

std::int64_t gates_of(const RNNOptionsBase& options) {
  return is_lstm(options) ? 4 : is<enumtype::kGRU>(options) ? 3 : 1;
}
const char* name_of(const RNNOptionsBase& options) {
  return is_lstm(options) ? "LSTM" : is<enumtype::kGRU>(options) ? "GRU" : "RNN";
}
std::int64_t state_size(const RNNOptionsBase& options) {
  return options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
}
std::int64_t directions_of(const RNNOptionsBase& options) {
  return options.bidirectional() ? 2 : 1;
}

}  // namespace

template <typename Derived>
RNNImplBase<Derived>::RNNImplBase(const RNNOptionsBase& options_) : options_base(options_) {
  RNNImplBase::reset();
}
template <typename Derived>
void RNNImplBase<Derived>::reset() {
  const RNNOptionsBase& o = options_base;
  TAPEDECK_CHECK_AS(ValueError, o.dropout() >= 0 && o.dropout() <= 1, name_of(o),
                    ": dropout should be a number in range [0, 1], got ", o.dropout());
  TAPEDECK_CHECK_AS(ValueError, o.proj_size() >= 0 && o.proj_size() < o.hidden_size(), name_of(o),
                    ": proj_size has to be smaller than hidden_size, got ", o.proj_size(), " and ",
                    o.hidden_size());
  TAPEDECK_CHECK_AS(ValueError, o.proj_size() == 0 || is_lstm(o), name_of(o),
                    ": proj_size argument is only supported for LSTM");
  TAPEDECK_CHECK_AS(ValueError, o.input_size() >= 0 && o.hidden_size() > 0 && o.num_layers() > 0,
                    name_of(o),
                    ": expected an input_size and positive hidden_size and num_layers, ", "got ",
                    o.input_size(), ", ", o.hidden_size(), " and ", o.num_layers());
  if (o.dropout() > 0 && o.num_layers() == 1)
    TAPEDECK_WARN(name_of(o),
                  ": dropout acts between layers, so non-zero dropout expects num_layers greater "
                  "than 1, but got dropout=",
                  o.dropout(), " and num_layers=1");
  names_.clear();
  const std::int64_t rows = gates_of(o) * o.hidden_size(), state = state_size(o);
  const auto add = [this](const std::string& name, IntArrayRef sizes) {
    this->register_parameter(name, tapedeck::empty(sizes));
    names_.push_back(name);
  };
  for (std::int64_t layer = 0; layer < o.num_layers(); ++layer)
    for (std::int64_t direction = 0; direction < directions_of(o); ++direction) {
      const std::string suffix = "_l" + std::to_string(layer) + (direction == 1 ? "_reverse" : "");
      add("weight_ih" + suffix, {rows, layer == 0 ? o.input_size() : state * directions_of(o)});
      add("weight_hh" + suffix, {rows, state});
      if (o.bias()) {
        add("bias_ih" + suffix, rows);
        add("bias_hh" + suffix, rows);
      }
      if (o.proj_size() > 0) add("weight_hr" + suffix, {o.proj_size(), o.hidden_size()});
    }
  reset_parameters();
}

template <typename Derived>
void RNNImplBase<Derived>::reset_parameters() {
  const double bound = options_base.hidden_size() > 0
                           ? 1 / std::sqrt(static_cast<double>(options_base.hidden_size()))
                           : 0;
  for (const Tensor& weight : this->parameters(false)) init::uniform_(weight, -bound, bound);
}

template <typename Derived>
std::vector<Tensor> RNNImplBase<Derived>::all_weights() const {
  std::vector<Tensor> result;
  for (const std::string& name : names_) result.push_back(this->parameters_[name]);
  return result;
}

template <typename Derived>
void RNNImplBase<Derived>::pretty_print(std::ostream& stream) const {
  const RNNOptionsBase& o = options_base;
  const bool python = text::in_python();
  // Python shows what is not the default, libtorch everything.
  const auto flag = [&](const char* key, bool value, bool usual) {
    if (!python || value != usual) stream << ", " << key << "=" << text::of_bool(value);
  };
  stream << text::name(name_of(o)) << (python ? "(" : "(input_size=") << o.input_size()
         << (python ? ", " : ", hidden_size=") << o.hidden_size();
  if (python && o.proj_size() != 0) stream << ", proj_size=" << o.proj_size();
  if (!python || o.num_layers() != 1) stream << ", num_layers=" << o.num_layers();
  flag("bias", o.bias(), true);
  flag("batch_first", o.batch_first(), false);
  if (!python || o.dropout() != 0) stream << ", dropout=" << text::of_float(o.dropout());
  flag("bidirectional", o.bidirectional(), false);
  if (!python && o.proj_size() != 0) stream << ", proj_size=" << o.proj_size();
  stream << ")";
}

// The parameters of one layer in one direction.
template <typename Derived>
struct RNNImplBase<Derived>::Direction {
  Tensor weight_ih, weight_hh, bias_ih, bias_hh, weight_hr;

  Direction(const OrderedDict<std::string, Tensor>& parameters, std::int64_t layer, bool reverse) {
    const std::string suffix = "_l" + std::to_string(layer) + (reverse ? "_reverse" : "");
    const auto get = [&](const char* name) {
      const Tensor* found = parameters.find(name + suffix);
      return found ? *found : Tensor();
    };
    weight_ih = get("weight_ih");
    weight_hh = get("weight_hh");
    bias_ih = get("bias_ih");
    bias_hh = get("bias_hh");
    weight_hr = get("weight_hr");
  }

  // Steps through rows [sum of counts, I], where step t has the next counts[t] of them, one for
  // each sequence that is so long; they are in order of falling length. h and c become the last
  // states.
  Tensor run(const RNNOptionsBase& options, const Tensor& rows,
             const std::vector<std::int64_t>& counts, bool reverse, Tensor& h, Tensor& c) const {
    const auto T = static_cast<std::int64_t>(counts.size());
    // Split at once, so that the gradients of all steps are joined once as well.
    const std::vector<Tensor> of_input =
        linear(rows, weight_ih, bias_ih).split_with_sizes(counts, 0);
    const Tensor h0 = h, c0 = c;
    std::vector<Tensor> outputs(counts.size()), ended_h, ended_c;
    std::int64_t running = reverse ? counts.back() : counts.front();
    h = rows_of(h, 0, running);
    c = rows_of(c, 0, running);
    for (std::int64_t step = 0; step < T; ++step) {
      const auto t = static_cast<std::size_t>(reverse ? T - 1 - step : step);
      const std::int64_t count = counts[t];
      if (count < running) {  // the shortest sequences have ended
        ended_h.push_back(rows_of(h, count, running));
        ended_c.push_back(rows_of(c, count, running));
        h = rows_of(h, 0, count);
        c = rows_of(c, 0, count);
      } else if (count > running) {  // backward, they begin here
        h = cat({h, rows_of(h0, running, count)}, 0);
        if (c.defined()) c = cat({c, rows_of(c0, running, count)}, 0);
      }
      running = count;
      const Tensor& x = of_input[t];
      const Tensor of_state = linear(h, weight_hh, bias_hh);
      if (is_lstm(options)) {
        std::tie(h, c) = tapedeck::detail::lstm_step(x, of_state, c);
        if (weight_hr.defined()) h = linear(h, weight_hr);
      } else if (is<enumtype::kGRU>(options)) {
        h = tapedeck::detail::gru_step(x, of_state, h);
      } else {
        h = tapedeck::detail::rnn_step(x, of_state, is<enumtype::kRNN_RELU>(options));
      }
      outputs[t] = h;
    }
    ended_h.push_back(h);
    ended_c.push_back(c);
    if (ended_h.size() > 1) {
      std::reverse(ended_h.begin(), ended_h.end());
      std::reverse(ended_c.begin(), ended_c.end());
      h = cat(ended_h, 0);
      if (c.defined()) c = cat(ended_c, 0);
    }
    return cat(outputs, 0);
  }

 private:
  static Tensor rows_of(const Tensor& x, std::int64_t first, std::int64_t last) {
    return !x.defined() || (first == 0 && last == x.size(0)) ? x : x.slice(0, first, last);
  }
};

template <typename Derived>
typename RNNImplBase<Derived>::States RNNImplBase<Derived>::run_layers(
    const Tensor& rows, const std::vector<std::int64_t>& counts, const Tensor& h, const Tensor& c) {
  const RNNOptionsBase& o = options_base;
  Tensor x = rows;
  std::vector<Tensor> last_h, last_c;
  for (std::int64_t layer = 0; layer < o.num_layers(); ++layer) {
    std::vector<Tensor> outputs;
    for (std::int64_t d = 0; d < directions_of(o); ++d) {
      const std::int64_t at = layer * directions_of(o) + d;
      Tensor h_now = h.select(0, at), c_now = c.defined() ? c.select(0, at) : Tensor();
      outputs.push_back(
          Direction(this->parameters_, layer, d == 1).run(o, x, counts, d == 1, h_now, c_now));
      last_h.push_back(h_now);
      if (c.defined()) last_c.push_back(c_now);
    }
    x = outputs.size() == 1 ? outputs[0] : cat(outputs, 1);
    if (layer + 1 < o.num_layers()) x = dropout(x, o.dropout(), this->is_training());
  }
  return {x, stack(last_h, 0), c.defined() ? stack(last_c, 0) : Tensor()};
}

template <typename Derived>
Tensor RNNImplBase<Derived>::initial_state(const Tensor& given, const Tensor& input, std::int64_t N,
                                           std::int64_t size, const char* what) const {
  const std::int64_t states = options_base.num_layers() * directions_of(options_base);
  const bool batched = N >= 0;
  const DimVector expected{states, batched ? N : 1, size};
  if (!given.defined()) return zeros(expected, input.options().requires_grad(false));
  const Tensor state = batched || given.dim() != 2 ? given : given.unsqueeze(1);
  TAPEDECK_CHECK(state.sizes().equals(expected) && (batched || given.dim() == 2),
                 name_of(options_base), ": expected ", what, " of shape ",
                 batched ? expected : DimVector{states, size}, ", got ", given.sizes(), " (input ",
                 input.sizes(), ")");
  return state;
}

template <typename Derived>
typename RNNImplBase<Derived>::States RNNImplBase<Derived>::run(const Tensor& input,
                                                                const Tensor& h0,
                                                                const Tensor& c0) {
  const RNNOptionsBase& o = options_base;
  const char* const op = name_of(o);
  TAPEDECK_CHECK_DEFINED(op, input);
  TAPEDECK_CHECK(input.dim() == 2 || input.dim() == 3, op, ": expected a 2D or 3D input, got ",
                 input.sizes());
  TAPEDECK_CHECK(input.size(-1) == o.input_size(), op, ": expected input_size ", o.input_size(),
                 ", got ", input.size(-1), " (input ", input.sizes(), ")");
  const bool batched = input.dim() == 3, swapped = batched && o.batch_first();
  const Tensor x = !batched ? input.unsqueeze(1) : swapped ? input.transpose(0, 1) : input;
  const std::int64_t T = x.size(0), N = x.size(1);
  TAPEDECK_CHECK(T > 0, op, ": expected a sequence of at least one step (input ", input.sizes(),
                 ")");
  const Tensor h = initial_state(h0, input, batched ? N : -1, state_size(o), "hidden states");
  const Tensor c = is_lstm(o)
                       ? initial_state(c0, input, batched ? N : -1, o.hidden_size(), "cell states")
                       : Tensor();
  const std::vector<std::int64_t> counts(static_cast<std::size_t>(T), N);
  States result = run_layers(x.reshape({T * N, o.input_size()}), counts, h, c);
  result.output = result.output.reshape({T, N, state_size(o) * directions_of(o)});
  if (batched) {
    if (swapped) result.output = result.output.transpose(0, 1);
    return result;
  }
  for (Tensor* t : {&result.output, &result.h, &result.c})
    if (t->defined()) *t = t->squeeze(1);
  return result;
}

template <typename Derived>
std::pair<utils::rnn::PackedSequence, typename RNNImplBase<Derived>::States>
RNNImplBase<Derived>::run_packed(const utils::rnn::PackedSequence& input, const Tensor& h0,
                                 const Tensor& c0) {
  const RNNOptionsBase& o = options_base;
  const Tensor& rows = input.data();
  TAPEDECK_CHECK(rows.dim() == 2 && rows.size(1) == o.input_size(), name_of(o),
                 ": expected packed data of shape [*, ", o.input_size(), "], got ", rows.sizes());
  const Tensor sizes = input.batch_sizes().contiguous();
  const std::vector<std::int64_t> counts(sizes.data_ptr<std::int64_t>(),
                                         sizes.data_ptr<std::int64_t>() + sizes.numel());
  // The user's states are in the user's order.
  const auto permuted = [](const Tensor& state, const Tensor& order) {
    return state.defined() && order.defined() ? state.index_select(1, order) : state;
  };
  const std::int64_t N = counts.front();
  const Tensor h =
      initial_state(permuted(h0, input.sorted_indices()), rows, N, state_size(o), "hidden states");
  const Tensor c = is_lstm(o) ? initial_state(permuted(c0, input.sorted_indices()), rows, N,
                                              o.hidden_size(), "cell states")
                              : Tensor();
  States result = run_layers(rows, counts, h, c);
  result.h = permuted(result.h, input.unsorted_indices());
  result.c = permuted(result.c, input.unsorted_indices());
  return {utils::rnn::PackedSequence(result.output, input.batch_sizes(), input.sorted_indices(),
                                     input.unsorted_indices()),
          result};
}

template class RNNImplBase<RNNImpl>;
template class RNNImplBase<LSTMImpl>;
template class RNNImplBase<GRUImpl>;

namespace {

template <typename Options>
RNNOptionsBase base_options(rnn_mode_t mode, const Options& options) {
  return RNNOptionsBase(mode, options.input_size(), options.hidden_size())
      .num_layers(options.num_layers())
      .bias(options.bias())
      .batch_first(options.batch_first())
      .dropout(options.dropout())
      .bidirectional(options.bidirectional());
}

rnn_mode_t mode_of(const RNNOptions& options) {
  if (holds_alternative<enumtype::kReLU>(options.nonlinearity())) return kRNN_RELU;
  return kRNN_TANH;
}

}  // namespace
}  // namespace detail

RNNImpl::RNNImpl(const RNNOptions& options_)
    : RNNImplBase(detail::base_options(detail::mode_of(options_), options_)), options(options_) {}
std::tuple<Tensor, Tensor> RNNImpl::forward(const Tensor& input, Tensor hx) {
  return detail::call_module(
      *this,
      [this](const Tensor& x, const Tensor& h) {
        const States states = run(x, h, Tensor());
        return std::tuple(states.output, states.h);
      },
      input, std::move(hx));
}

std::tuple<utils::rnn::PackedSequence, Tensor> RNNImpl::forward_with_packed_input(
    const utils::rnn::PackedSequence& packed_input, Tensor hx) {
  const auto [output, states] = run_packed(packed_input, hx, Tensor());
  return {output, states.h};
}

LSTMImpl::LSTMImpl(const LSTMOptions& options_)
    : RNNImplBase(detail::base_options(kLSTM, options_).proj_size(options_.proj_size())),
      options(options_) {}
std::tuple<Tensor, std::tuple<Tensor, Tensor>> LSTMImpl::forward(
    const Tensor& input, std::optional<std::tuple<Tensor, Tensor>> hx_opt) {
  return detail::call_module(
      *this,
      [&](const Tensor& x) {
        const auto given = hx_opt.value_or(std::tuple<Tensor, Tensor>());
        const States states = run(x, std::get<0>(given), std::get<1>(given));
        return std::tuple(states.output, std::tuple(states.h, states.c));
      },
      input);
}

std::tuple<utils::rnn::PackedSequence, std::tuple<Tensor, Tensor>>
LSTMImpl::forward_with_packed_input(const utils::rnn::PackedSequence& packed_input,
                                    std::optional<std::tuple<Tensor, Tensor>> hx_opt) {
  const auto given = hx_opt.value_or(std::tuple<Tensor, Tensor>());
  const auto [output, states] = run_packed(packed_input, std::get<0>(given), std::get<1>(given));
  return {output, {states.h, states.c}};
}

GRUImpl::GRUImpl(const GRUOptions& options_)
    : RNNImplBase(detail::base_options(kGRU, options_)), options(options_) {}
std::tuple<Tensor, Tensor> GRUImpl::forward(const Tensor& input, Tensor hx) {
  return detail::call_module(
      *this,
      [this](const Tensor& x, const Tensor& h) {
        const States states = run(x, h, Tensor());
        return std::tuple(states.output, states.h);
      },
      input, std::move(hx));
}

std::tuple<utils::rnn::PackedSequence, Tensor> GRUImpl::forward_with_packed_input(
    const utils::rnn::PackedSequence& packed_input, Tensor hx) {
  const auto [output, states] = run_packed(packed_input, hx, Tensor());
  return {output, states.h};
}

TAPEDECK_DEFINE_DEFAULT_ARGS(RNNImpl, {1, AnyValue(Tensor())})
TAPEDECK_DEFINE_DEFAULT_ARGS(LSTMImpl, {1, AnyValue(std::optional<std::tuple<Tensor, Tensor>>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(GRUImpl, {1, AnyValue(Tensor())})

template class Cloneable<RNNImpl>;
template class Cloneable<LSTMImpl>;
template class Cloneable<GRUImpl>;
template class Cloneable<RNNCellImpl>;
template class Cloneable<LSTMCellImpl>;
template class Cloneable<GRUCellImpl>;

}  // namespace tapedeck::nn
