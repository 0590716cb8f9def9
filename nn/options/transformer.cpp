#include <tapedeck/nn/options/transformer.h>

#include <utility>

namespace tapedeck::nn {

TransformerLayerOptions::TransformerLayerOptions(std::int64_t d_model, std::int64_t nhead)
    : d_model_(d_model), nhead_(nhead) {}

TransformerOptions::TransformerOptions() = default;
TransformerOptions::TransformerOptions(std::int64_t d_model, std::int64_t nhead)
    : d_model_(d_model), nhead_(nhead) {}
TransformerOptions::TransformerOptions(std::int64_t d_model, std::int64_t nhead,
                                       std::int64_t num_encoder_layers,
                                       std::int64_t num_decoder_layers)
    : d_model_(d_model),
      nhead_(nhead),
      num_encoder_layers_(num_encoder_layers),
      num_decoder_layers_(num_decoder_layers) {}

TransformerLayerOptions& TransformerLayerOptions::activation(activation_t value) {
  activation_ = std::move(value);
  return *this;
}
TransformerOptions& TransformerOptions::activation(activation_t value) {
  activation_ = std::move(value);
  return *this;
}

}  // namespace tapedeck::nn
