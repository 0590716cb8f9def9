// Layers and optimisers with options and inputs that do not go together: a value or an Error.
#include <gtest/gtest.h>

#include <tests/support/wild.h>

namespace tapedeck {
namespace {

using namespace nn;
using testing_support::results;
using testing_support::Wild;
using testing_support::WildCall;

// A size: mostly one that fits.
std::int64_t size(Wild& w) { return w.pick(0, 9) == 0 ? w.pick(-1, 4) : 2; }
// A kernel size, stride, ... : mostly legal.
std::int64_t knob(Wild& w) { return w.pick(0, 9) == 0 ? w.integer() : w.pick(1, 2); }

// Options are drawn before the input, which the layer may see in either mode.
#define LAYER(Type, ...)                          \
  WildCall {                                      \
#Type, [](Wild& w) {                            \
      Type m(__VA_ARGS__);                          \
      m->to(kDouble);                               \
      m->train(w.coin());                           \
      return results(m->forward(w.image()));        \
    } \
  }

const WildCall kLayers[] = {
    LAYER(Linear, LinearOptions(knob(w), size(w)).bias(w.coin())),
    LAYER(Conv1d, Conv1dOptions(size(w), size(w), knob(w))
                      .stride(knob(w))
                      .padding(w.pick(-1, 2))
                      .dilation(knob(w))
                      .groups(w.pick(0, 2))),
    LAYER(Conv2d, Conv2dOptions(size(w), size(w), {knob(w), knob(w)})
                      .stride(knob(w))
                      .padding(w.pick(-1, 2))
                      .dilation(knob(w))
                      .groups(w.pick(0, 2))),
    LAYER(Conv2d, Conv2dOptions(size(w), size(w), 3).padding(w.pick(-1, 3)).padding_mode(kReflect)),
    LAYER(Conv2d, Conv2dOptions(size(w), size(w), 3).padding(w.pick(-1, 3)).padding_mode(kCircular)),
    LAYER(ConvTranspose1d,
          ConvTranspose1dOptions(size(w), size(w), knob(w)).output_padding(w.pick(-1, 1))),
    LAYER(ConvTranspose2d, ConvTranspose2dOptions(size(w), size(w), knob(w))
                               .stride(knob(w))
                               .padding(w.pick(-1, 2))
                               .output_padding(w.pick(-1, 1))),
    LAYER(BatchNorm1d, BatchNorm1dOptions(size(w)).momentum(w.number()).eps(w.number())),
    LAYER(BatchNorm2d, BatchNorm2dOptions(size(w)).track_running_stats(w.coin())),
    LAYER(InstanceNorm2d, InstanceNorm2dOptions(size(w)).affine(w.coin())),
    LAYER(LayerNorm, LayerNormOptions({w.pick(1, 3)})),
    LAYER(GroupNorm, GroupNormOptions(knob(w), size(w))),
    LAYER(CrossMapLRN2d, CrossMapLRN2dOptions(knob(w)).beta(w.number())),
    LAYER(LocalResponseNorm, LocalResponseNormOptions(knob(w)).beta(w.number())),
    LAYER(MaxPool1d, MaxPool1dOptions(knob(w)).stride(knob(w)).padding(w.pick(-1, 2))),
    LAYER(MaxPool2d, MaxPool2dOptions(knob(w)).stride(knob(w)).ceil_mode(w.coin())),
    LAYER(AvgPool2d, AvgPool2dOptions(knob(w)).stride(knob(w)).divisor_override(w.pick(-1, 3))),
    LAYER(AdaptiveAvgPool2d, AdaptiveAvgPool2dOptions({knob(w), knob(w)})),
    LAYER(AdaptiveMaxPool2d, AdaptiveMaxPool2dOptions({knob(w), knob(w)})),
    LAYER(LPPool2d, LPPool2dOptions(w.number(), knob(w))),
    LAYER(Softmax, SoftmaxOptions(w.integer())),
    LAYER(LogSoftmax, LogSoftmaxOptions(w.integer())),
    LAYER(GLU, GLUOptions(w.integer())),
    LAYER(PReLU, PReLUOptions().num_parameters(knob(w))),
    LAYER(Dropout, DropoutOptions(w.number())),
    LAYER(Dropout2d, Dropout2dOptions(w.number())),
    LAYER(AlphaDropout, AlphaDropoutOptions(w.number())),
    LAYER(Flatten, FlattenOptions().start_dim(w.integer()).end_dim(w.integer())),
    LAYER(Unflatten, UnflattenOptions(w.integer(), {knob(w), knob(w)})),
    LAYER(Fold, FoldOptions({knob(w), knob(w)}, knob(w))),
    LAYER(Unfold, UnfoldOptions(knob(w)).stride(knob(w)).padding(w.pick(-1, 2))),
    LAYER(PixelShuffle, PixelShuffleOptions(knob(w))),
    LAYER(ZeroPad2d, ZeroPad2dOptions({w.pick(-3, 3), w.pick(-3, 3), knob(w), 0})),
    LAYER(ReflectionPad2d, ReflectionPad2dOptions({w.pick(-3, 3), w.pick(-3, 3), knob(w), 0})),
    LAYER(ReplicationPad1d, ReplicationPad1dOptions({w.pick(-3, 3), knob(w)})),
    LAYER(Upsample, UpsampleOptions().scale_factor(std::vector<double>{w.number(), 2})),
    LAYER(Upsample, UpsampleOptions().size(w.knobs()).mode(kBilinear).align_corners(w.coin())),
    {"Embedding",
     [](Wild& w) {
       Embedding m(EmbeddingOptions(size(w), size(w)).max_norm(w.number()));
       return results(m->forward(w.labels()));
     }},
    {"RNN",
     [](Wild& w) {
       RNN m(RNNOptions(size(w), knob(w)).num_layers(w.pick(0, 2)));
       m->to(kDouble);
       return results(m->forward(w.like({3, 2, 2}), w.coin() ? w.tensor() : Tensor()));
     }},
    {"LSTM",
     [](Wild& w) {
       LSTM m(LSTMOptions(size(w), knob(w)).bidirectional(w.coin()).proj_size(w.pick(-1, 1)));
       m->to(kDouble);
       const auto [y, state] = m->forward(w.like({3, 2, 2}));
       return results(y);
     }},
    {"GRU",
     [](Wild& w) {
       GRU m(GRUOptions(size(w), knob(w)).batch_first(w.coin()));
       m->to(kDouble);
       return results(m->forward(w.like({3, 2, 2}), w.coin() ? w.tensor() : Tensor()));
     }},
};

TEST(BadInput, LayersGiveAValueOrAnError) {
  for (const WildCall& call : kLayers) testing_support::survive(call, 100);
}

// Steps of an optimiser whose parameters are anything.
template <typename Optimizer, typename Options>
WildCall steps_of(const char* name, Options (*options)(Wild&)) {
  return {name, [options](Wild& w) {
            std::vector<Tensor> parameters = {w.floats(), w.like({2, 2})};
            for (Tensor& p : parameters) p = p.detach().clone().requires_grad_();
            Optimizer optimizer(parameters, options(w));
            for (int step = 0; step < 2; ++step) {
              optimizer.step([&] {
                optimizer.zero_grad();
                Tensor loss = parameters[0].square().sum() + parameters[1].sum();
                loss.backward();
                return loss;
              });
            }
            return results(parameters);
          }};
}

TEST(BadInput, OptimizersGiveValuesOrAnError) {
  using namespace optim;
  const WildCall calls[] = {
      steps_of<SGD, SGDOptions>("SGD",
                                [](Wild& w) {
                                  return SGDOptions(w.number())
                                      .momentum(w.number())
                                      .dampening(w.number())
                                      .weight_decay(w.number())
                                      .nesterov(w.coin());
                                }),
      steps_of<Adam, AdamOptions>("Adam",
                                  [](Wild& w) {
                                    return AdamOptions(w.number())
                                        .betas({w.coin() ? 0.5 : w.number(), 0.9})
                                        .eps(w.number())
                                        .amsgrad(w.coin());
                                  }),
      steps_of<AdamW, AdamWOptions>(
          "AdamW",
          [](Wild& w) {
            return AdamWOptions(w.number()).weight_decay(w.number()).eps(w.number());
          }),
      steps_of<RMSprop, RMSpropOptions>(
          "RMSprop",
          [](Wild& w) {
            return RMSpropOptions(w.number()).alpha(w.number()).momentum(w.number());
          }),
      steps_of<Adagrad, AdagradOptions>(
          "Adagrad",
          [](Wild& w) { return AdagradOptions(w.number()).lr_decay(w.number()).eps(w.number()); }),
      steps_of<LBFGS, LBFGSOptions>("LBFGS",
                                    [](Wild& w) {
                                      return LBFGSOptions(w.number())
                                          .max_iter(w.pick(-1, 4))
                                          .history_size(w.pick(-1, 3))
                                          .tolerance_grad(w.number());
                                    }),
  };
  for (const WildCall& call : calls) testing_support::survive(call, 150);
}

}  // namespace
}  // namespace tapedeck
