#pragma once

#include <cstdint>

#include <tapedeck/array/arg.h>
#include <tapedeck/nn/enum.h>

namespace tapedeck::nn {

namespace detail {

using rnn_mode_t = OneOf<enumtype::kLSTM, enumtype::kGRU, enumtype::kRNN_TANH, enumtype::kRNN_RELU>;

/// What the recurrent networks have in common.
struct RNNOptionsBase {
  using rnn_options_base_mode_t = rnn_mode_t;
  RNNOptionsBase(rnn_mode_t mode, std::int64_t input_size, std::int64_t hidden_size)
      : mode_(mode), input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(rnn_mode_t, mode);
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(std::int64_t, num_layers) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(bool, batch_first) = false;
  TAPEDECK_ARG(double, dropout) = 0.0;
  TAPEDECK_ARG(bool, bidirectional) = false;
  TAPEDECK_ARG(std::int64_t, proj_size) = 0;
};

}  // namespace detail

/// Options of RNN.
struct RNNOptions {
  using nonlinearity_t = OneOf<enumtype::kTanh, enumtype::kReLU>;
  RNNOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(std::int64_t, num_layers) = 1;
  TAPEDECK_ARG(nonlinearity_t, nonlinearity) = kTanh;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(bool, batch_first) = false;
  TAPEDECK_ARG(double, dropout) = 0.0;
  TAPEDECK_ARG(bool, bidirectional) = false;
};

/// Options of LSTM.
struct LSTMOptions {
  LSTMOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(std::int64_t, num_layers) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(bool, batch_first) = false;
  TAPEDECK_ARG(double, dropout) = 0.0;
  TAPEDECK_ARG(bool, bidirectional) = false;
  TAPEDECK_ARG(std::int64_t, proj_size) = 0;
};

/// Options of GRU.
struct GRUOptions {
  GRUOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(std::int64_t, num_layers) = 1;
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(bool, batch_first) = false;
  TAPEDECK_ARG(double, dropout) = 0.0;
  TAPEDECK_ARG(bool, bidirectional) = false;
};

namespace detail {

/// What the recurrent cells have in common; num_chunks gates stand in one weight.
struct RNNCellOptionsBase {
  RNNCellOptionsBase(std::int64_t input_size, std::int64_t hidden_size, bool bias,
                     std::int64_t num_chunks)
      : input_size_(input_size), hidden_size_(hidden_size), bias_(bias), num_chunks_(num_chunks) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(bool, bias);
  TAPEDECK_ARG(std::int64_t, num_chunks);
};

}  // namespace detail

struct RNNCellOptions {
  using nonlinearity_t = OneOf<enumtype::kTanh, enumtype::kReLU>;
  RNNCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(bool, bias) = true;
  TAPEDECK_ARG(nonlinearity_t, nonlinearity) = kTanh;
};

struct LSTMCellOptions {
  LSTMCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(bool, bias) = true;
};

struct GRUCellOptions {
  GRUCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  TAPEDECK_ARG(std::int64_t, input_size);
  TAPEDECK_ARG(std::int64_t, hidden_size);
  TAPEDECK_ARG(bool, bias) = true;
};

}  // namespace tapedeck::nn
