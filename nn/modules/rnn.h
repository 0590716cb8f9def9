#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/cloneable.h>
#include <tapedeck/nn/module_holder.h>
#include <tapedeck/nn/options/rnn.h>
#include <tapedeck/nn/utils/rnn.h>

namespace tapedeck::nn {

namespace detail {

/// What the recurrent networks have in common. The parameters of layer l are weight_ih_l,
/// weight_hh_l, bias_ih_l and bias_hh_l, and the same with _reverse; all start uniform in
/// +-1 / sqrt(hidden_size).
template <typename Derived>
class RNNImplBase : public Cloneable<Derived> {
 public:
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;
  /// Nothing: the weights need no particular layout here.
  void flatten_parameters() {}
  /// The parameters in order.
  std::vector<Tensor> all_weights() const;

  RNNOptionsBase options_base;

 protected:
  explicit RNNImplBase(const RNNOptionsBase& options_);

  /// The output of the last layer, and the last states of all.
  struct States {
    Tensor output, h, c;
  };
  States run(const Tensor& input, const Tensor& h0, const Tensor& c0);
  std::pair<utils::rnn::PackedSequence, States> run_packed(const utils::rnn::PackedSequence& input,
                                                           const Tensor& h0, const Tensor& c0);

 private:
  struct Direction;
  States run_layers(const Tensor& rows, const std::vector<std::int64_t>& counts, const Tensor& h,
                    const Tensor& c);
  /// `given` as [states, N, size], or zeros. N is -1 without a batch.
  Tensor initial_state(const Tensor& given, const Tensor& input, std::int64_t N, std::int64_t size,
                       const char* what) const;

  std::vector<std::string> names_;
};

}  // namespace detail

/// h' = tanh(w_ih x + b_ih + w_hh h + b_hh), or relu, over a sequence: input [T, N, input_size]
/// ([N, T, ...] with batch_first, [T, ...] without a batch) and states
/// [layers * directions, N, hidden_size] -> the output of the last layer [T, N, directions *
/// hidden_size], and the last states.
class RNNImpl : public detail::RNNImplBase<RNNImpl> {
 public:
  RNNImpl(std::int64_t input_size, std::int64_t hidden_size)
      : RNNImpl(RNNOptions(input_size, hidden_size)) {}
  explicit RNNImpl(const RNNOptions& options_);
  /// States that are not given are zeros.
  std::tuple<Tensor, Tensor> forward(const Tensor& input, Tensor hx = {});
  /// The same for sequences of different lengths.
  std::tuple<utils::rnn::PackedSequence, Tensor> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input, Tensor hx = {});

  RNNOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(RNN);

/// Long short-term memory (Hochreiter and Schmidhuber, 1997), with the gates in the order i, f, g,
/// o; shapes as in RNN, and proj_size instead of hidden_size where that is set.
class LSTMImpl : public detail::RNNImplBase<LSTMImpl> {
 public:
  LSTMImpl(std::int64_t input_size, std::int64_t hidden_size)
      : LSTMImpl(LSTMOptions(input_size, hidden_size)) {}
  explicit LSTMImpl(const LSTMOptions& options_);
  /// The output, and the last (h, c).
  std::tuple<Tensor, std::tuple<Tensor, Tensor>> forward(
      const Tensor& input, std::optional<std::tuple<Tensor, Tensor>> hx_opt = {});
  /// The same for sequences of different lengths.
  std::tuple<utils::rnn::PackedSequence, std::tuple<Tensor, Tensor>> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input,
      std::optional<std::tuple<Tensor, Tensor>> hx_opt = {});

  LSTMOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(LSTM);

/// Gated recurrent unit (Cho et al., 2014), with the gates in the order r, z, n; shapes as in RNN.
class GRUImpl : public detail::RNNImplBase<GRUImpl> {
 public:
  GRUImpl(std::int64_t input_size, std::int64_t hidden_size)
      : GRUImpl(GRUOptions(input_size, hidden_size)) {}
  explicit GRUImpl(const GRUOptions& options_);
  /// States that are not given are zeros.
  std::tuple<Tensor, Tensor> forward(const Tensor& input, Tensor hx = {});
  /// The same for sequences of different lengths.
  std::tuple<utils::rnn::PackedSequence, Tensor> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input, Tensor hx = {});

  GRUOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(GRU);

namespace detail {

/// What the recurrent cells have in common.
template <typename Derived>
class RNNCellImplBase : public Cloneable<Derived> {
 public:
  void reset() override;
  void reset_parameters();
  void pretty_print(std::ostream& stream) const override;

  RNNCellOptionsBase options_base;
  Tensor weight_ih;  ///< [chunks * hidden_size, input_size]
  Tensor weight_hh;  ///< [chunks * hidden_size, hidden_size]
  Tensor bias_ih;    ///< [chunks * hidden_size], or undefined
  Tensor bias_hh;    ///< [chunks * hidden_size], or undefined

 protected:
  explicit RNNCellImplBase(const RNNCellOptionsBase& options_);
  virtual std::string nonlinearity_text() const { return {}; }
  /// The input and a state as [N, ...]. \throws Error where they do not fit.
  Tensor batched(const Tensor& x, std::int64_t features, const char* what) const;
  Tensor state_or_zeros(const Tensor& state, const Tensor& input) const;
};

}  // namespace detail

/// One step of RNN: input [N, input_size] and state [N, hidden_size] -> the next state.
class RNNCellImpl : public detail::RNNCellImplBase<RNNCellImpl> {
 public:
  RNNCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : RNNCellImpl(RNNCellOptions(input_size, hidden_size)) {}
  explicit RNNCellImpl(const RNNCellOptions& options_);
  Tensor forward(const Tensor& input, const Tensor& hx = {});

  RNNCellOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()

 protected:
  std::string nonlinearity_text() const override;
};
TAPEDECK_LIBRARY_MODULE(RNNCell);

/// One step of LSTM: input [N, input_size] and (h, c), each [N, hidden_size] -> the next (h, c).
class LSTMCellImpl : public detail::RNNCellImplBase<LSTMCellImpl> {
 public:
  LSTMCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : LSTMCellImpl(LSTMCellOptions(input_size, hidden_size)) {}
  explicit LSTMCellImpl(const LSTMCellOptions& options_);
  std::tuple<Tensor, Tensor> forward(const Tensor& input,
                                     std::optional<std::tuple<Tensor, Tensor>> hx_opt = {});

  LSTMCellOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(LSTMCell);

/// One step of GRU: input [N, input_size] and state [N, hidden_size] -> the next state.
class GRUCellImpl : public detail::RNNCellImplBase<GRUCellImpl> {
 public:
  GRUCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : GRUCellImpl(GRUCellOptions(input_size, hidden_size)) {}
  explicit GRUCellImpl(const GRUCellOptions& options_);
  Tensor forward(const Tensor& input, const Tensor& hx = {});

  GRUCellOptions options;

  TAPEDECK_DECLARE_DEFAULT_ARGS()
};
TAPEDECK_LIBRARY_MODULE(GRUCell);

}  // namespace tapedeck::nn
