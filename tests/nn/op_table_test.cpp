// Layers, functional forms and the rarer operations in the op table: gradcheck, gradgradcheck,
// layouts and float32 beside float64.
#include <tests/support/op_table.h>

namespace tapedeck {
namespace {

using namespace testing_support;
namespace F = nn::functional;
using autograd::variable_list;

const Domain kAny{-2, 2}, kPositive{0.2, 2};

// y = layer(x), with the same random parameters in every call.
template <typename Layer, typename... Arguments>
auto layer(const Arguments&... arguments) {
  return [arguments...](const Variable& x) {
    manual_seed(7);
    Layer m(arguments...);
    m->to(x.scalar_type());
    return m->forward(x);
  };
}

std::vector<OpRow> resampling() {
  std::vector<OpRow> list;
  const auto padded = [](auto mode) {
    return [mode](const Variable& x) { return F::pad(x, F::PadFuncOptions({2, 1}).mode(mode)); };
  };
  list.push_back(row("pad_constant", padded(kConstant), {{{2, 3, 5}}, {{0, 3}}, {{4}}}));
  list.push_back(row("pad_reflect", padded(kReflect), {{{2, 3, 5}}, {{2, 3}}}));
  list.push_back(row("pad_replicate", padded(kReplicate), {{{2, 3, 5}}, {{2, 1}}}));
  list.push_back(row("pad_circular", padded(kCircular), {{{2, 3, 5}}}));
  list.push_back(row("pad_circular_planes",
                     [](const Tensor& x) {
                       return F::pad(x, F::PadFuncOptions({2, 1, 0, 3}).mode(kCircular));
                     },
                     {{{2, 3, 5}}, {{1, 2, 4, 3}}}));
  list.push_back(row("constant_pad_nd",
                     [](const Variable& x) {
                       return constant_pad_nd(x, {1, -1, 0, 2}, 3);
                     },
                     {{{2, 3, 5}}}));
  list.push_back(row("reflection_pad1d",
                     [](const Variable& x) {
                       return reflection_pad1d(x, {1, 2});
                     },
                     {{{2, 5}}}));
  list.push_back(row("reflection_pad2d",
                     [](const Variable& x) {
                       return reflection_pad2d(x, {1, 2, 0, 1});
                     },
                     {{{2, 3, 5}}}));
  list.push_back(row("replication_pad1d",
                     [](const Variable& x) {
                       return replication_pad1d(x, {1, 2});
                     },
                     {{{2, 5}}}));
  list.push_back(row("replication_pad2d",
                     [](const Variable& x) {
                       return replication_pad2d(x, {1, 2, 0, 1});
                     },
                     {{{2, 3, 5}}}));
  const std::vector<Shapes> lines = {{{2, 3, 5}}}, images = {{{2, 3, 5, 7}}, {{1, 1, 1, 2}}};
  list.push_back(row(
      "upsample_nearest1d", [](const Variable& x) { return upsample_nearest1d(x, {7}); }, lines));
  list.push_back(row(
      "upsample_nearest2d",
      [](const Variable& x) {
        return upsample_nearest2d(x, {7, 3});
      },
      images));
  list.push_back(row(
      "upsample_nearest_exact",
      [](const Variable& x) {
        return upsample_nearest_exact(x, {7, 3}, {1.5, 0.5});
      },
      images));
  const std::vector<Shapes> volumes = {{{2, 3, 2, 4, 3}}, {{1, 1, 1, 1, 2}}};
  list.push_back(row(
      "upsample_nearest3d",
      [](const Variable& x) {
        return upsample_nearest3d(x, {3, 7, 2});
      },
      volumes));
  list.push_back(row(
      "upsample_trilinear3d",
      [](const Variable& x) {
        return upsample_trilinear3d(x, {3, 7, 2}, false, std::nullopt, 1.75);
      },
      volumes));
  list.push_back(row(
      "upsample_bilinear2d_aa",
      [](const Variable& x) {
        return _upsample_bilinear2d_aa(x, {7, 2}, false);
      },
      images));
  list.push_back(row(
      "upsample_bicubic2d_aa",
      [](const Variable& x) {
        return _upsample_bicubic2d_aa(x, {2, 7}, true);
      },
      images));
  list.push_back(row(
      "upsample_linear1d", [](const Variable& x) { return upsample_linear1d(x, {7}, false); },
      lines));
  list.push_back(row(
      "upsample_bilinear2d",
      [](const Variable& x) {
        return upsample_bilinear2d(x, {7, 3}, true);
      },
      images));
  list.push_back(row(
      "upsample_bicubic2d",
      [](const Variable& x) {
        return upsample_bicubic2d(x, {7, 3}, false);
      },
      images));
  list.push_back(row(
      "interpolate",
      [](const Variable& x) {
        return F::interpolate(x, F::InterpolateFuncOptions().size(std::vector<std::int64_t>{3, 9}));
      },
      images));
  list.push_back(row("fold",
                     [](const Variable& x) {
                       return F::fold(x, F::FoldFuncOptions({4, 5}, 2));
                     },
                     {{{2, 12, 12}}}));
  return list;
}
TAPEDECK_OP_TABLE(Resampling, resampling());

// What is dropped depends on the seed alone.
template <typename Function>
auto seeded(Function f) {
  return [f](const Variable& x) {
    manual_seed(5);
    return f(x);
  };
}

std::vector<OpRow> randomly() {
  const std::vector<Shapes> shapes = {{{2, 3, 5}}, {{0, 3}}, {{4, 2}}};
  std::vector<OpRow> list;
#define SEEDED_ROW(name) \
  list.push_back(row(#name, seeded([](const Variable& x) { return name(x, 0.4, true); }), shapes))
  SEEDED_ROW(dropout);
  SEEDED_ROW(feature_dropout);
  SEEDED_ROW(alpha_dropout);
  SEEDED_ROW(feature_alpha_dropout);
#undef SEEDED_ROW
#define SEEDED_IN_PLACE(name)                              \
  list.push_back(row(#name, seeded([](const Variable& x) { \
                       Variable y = x * 2;                 \
                       name(y, 0.4, true);                 \
                       return y;                           \
                     }),                                   \
                     shapes))
  SEEDED_IN_PLACE(dropout_);
  SEEDED_IN_PLACE(feature_dropout_);
  SEEDED_IN_PLACE(alpha_dropout_);
  SEEDED_IN_PLACE(feature_alpha_dropout_);
#undef SEEDED_IN_PLACE
  const std::vector<Shapes> images = {{{2, 3, 5, 2}}};
  list.push_back(
      row("dropout1d", seeded([](const Variable& x) { return F::dropout1d(x); }), {{{2, 3, 5}}}));
  list.push_back(
      row("dropout2d", seeded([](const Variable& x) { return F::dropout2d(x); }), images));
  list.push_back(row("dropout3d", seeded([](const Variable& x) { return F::dropout3d(x); }),
                     {{{2, 3, 2, 1, 2}}}));
  return list;
}
TAPEDECK_OP_TABLE(Dropouts, randomly());

std::vector<OpRow> functional() {
  const Domain away{-2, 2, {0}};
  std::vector<OpRow> list;
  list.push_back(row("embedding",
                     [](const Variable& w) {
                       return embedding(w, tensor(std::vector<std::int64_t>{0, 3, 3, 1}));
                     },
                     {{{5, 3}}, {{4, 1}}}));
  for (const std::int64_t mode : {0, 1, 2})
    list.push_back(row("embedding_bag_" + std::to_string(mode),
                       [mode](const Variable& w) {
                         const auto rows = tensor(std::vector<std::int64_t>{0, 3, 3, 1, 2});
                         const auto offsets = tensor(std::vector<std::int64_t>{0, 2, 2});
                         return std::get<0>(embedding_bag(w, rows, offsets, false, mode));
                       },
                       {{{5, 3}}}));
  list.push_back(row("local_response_norm",
                     [](const Variable& x) {
                       return F::local_response_norm(x,
                                                     F::LocalResponseNormFuncOptions(3).alpha(2));
                     },
                     {{{2, 5, 3}}, {{1, 3, 2, 2}}}));
  list.push_back(
      row("normalize", [](const Variable& x) { return F::normalize(x); }, {{{2, 3, 5}}}, {kAny}));
  list.push_back(row(
      "lp_pool1d", [](const Variable& x) { return F::lp_pool1d(x, F::LPPool1dFuncOptions(3, 2)); },
      {{{2, 3, 5}}}, {kPositive}));
  list.push_back(row(
      "lp_pool2d", [](const Variable& x) { return F::lp_pool2d(x, F::LPPool2dFuncOptions(2, 2)); },
      {{{2, 3, 5, 7}}}, {kPositive}));
  list.push_back(
      row("max_unpool1d",
          [](const Variable& x) {
            const auto places = tensor(std::vector<std::int64_t>{0, 3, 5}).view({1, 1, 3});
            return F::max_unpool1d(x, places, F::MaxUnpool1dFuncOptions(2));
          },
          {{{1, 1, 3}}}));
  list.push_back(row("pairwise_distance",
                     [](const Variable& a, const Variable& b) {
                       return F::pairwise_distance(a, b, F::PairwiseDistanceFuncOptions().p(3));
                     },
                     {{{3, 5}, {3, 5}}}));
  list.push_back(pointwise("logsigmoid", [](const Variable& x) { return F::logsigmoid(x); }));
  list.push_back(row("softmin",
                     [](const Variable& x) { return F::softmin(x, F::SoftminFuncOptions(1)); },
                     {{{2, 3, 5}}, {{0, 3}}}));
  list.push_back(row("gumbel_softmax", seeded([](const Variable& x) {
                       return F::gumbel_softmax(x.contiguous(),
                                                F::GumbelSoftmaxFuncOptions().dim(1));
                     }),
                     {{{2, 3}}}));
  list.push_back(row(
      "linear",
      [](const Variable& x, const Variable& w, const Variable& b) { return F::linear(x, w, b); },
      {{{2, 3, 5}, {7, 5}, {7}}, {{5}, {7, 5}, {7}}, {{0, 5}, {7, 5}, {7}}}));
  list.push_back(row(
      "bilinear",
      [](const Variable& a, const Variable& b, const Variable& w) { return F::bilinear(a, b, w); },
      {{{2, 3}, {2, 5}, {7, 3, 5}}}));
  list.push_back(row("triplet_margin_with_distance_loss",
                     [](const Variable& a, const Variable& p, const Variable& n) {
                       return F::triplet_margin_with_distance_loss(
                           a, p, n,
                           F::TripletMarginWithDistanceLossFuncOptions().margin(5).swap(true));
                     },
                     {{{3, 5}, {3, 5}, {3, 5}}}));
  list.push_back(row("adaptive_max_pool1d_with_indices",
                     [](const Variable& x) {
                       return std::get<0>(F::adaptive_max_pool1d_with_indices(
                           x, F::AdaptiveMaxPool1dFuncOptions(2)));
                     },
                     {{{2, 3, 5}}}));
  list.push_back(row("adaptive_max_pool2d_with_indices",
                     [](const Variable& x) {
                       return std::get<0>(F::adaptive_max_pool2d_with_indices(
                           x, F::AdaptiveMaxPool2dFuncOptions(2)));
                     },
                     {{{2, 3, 5, 3}}}));
  const auto labels = tensor(std::vector<std::int64_t>{0, 2, 1, 1, 0, 2}).view({2, 3});
  list.push_back(row("nll_loss2d",
                     [labels](const Variable& x) {
                       return nll_loss2d(x, labels.view({2, 3, 1}));
                     },
                     {{{2, 5, 3, 1}}}));
  list.push_back(row("nll_loss_nd", [labels](const Variable& x) { return nll_loss_nd(x, labels); },
                     {{{2, 5, 3}}}));
  list.push_back(row("cross", [](const Variable& a, const Variable& b) { return cross(a, b, 1); },
                     {{{2, 3}, {2, 3}}}));
  list.push_back(
      row("vdot", [](const Variable& a, const Variable& b) { return vdot(a, b); }, {{{5}, {5}}}));
  list.push_back(
      row("ger", [](const Variable& a, const Variable& b) { return ger(a, b); }, {{{3}, {5}}}));
  list.push_back(row("concat",
                     [](const Variable& a, const Variable& b) {
                       return concat({a, b}, 1);
                     },
                     {{{2, 3}, {2, 5}}}));
  list.push_back(row("broadcast_to",
                     [](const Variable& x) {
                       return broadcast_to(x, {5, 2, 3});
                     },
                     {{{2, 3}}, {{}}}));
  list.push_back(
      row("moveaxis", [](const Variable& x) { return moveaxis(x, 0, -1); }, {{{2, 3, 5}}}));
  list.push_back(
      row("atleast_1d", [](const Variable& x) { return atleast_1d(x); }, {{{}}, {{2, 3}}}));
  list.push_back(row("atleast_2d", [](const Variable& x) { return atleast_2d(x); }, {{{}}, {{3}}}));
  const Domain within{-0.9, 0.9};
  list.push_back(pointwise(
      "sgn", [](const Variable& x) { return sgn(x); }, away));
  list.push_back(pointwise(
      "arcsin", [](const Variable& x) { return arcsin(x); }, within));
  list.push_back(pointwise(
      "arccos", [](const Variable& x) { return arccos(x); }, within));
  list.push_back(pointwise("arctan", [](const Variable& x) { return arctan(x); }));
  return list;
}
TAPEDECK_OP_TABLE(Functional, functional());

std::vector<OpRow> layers() {
  using namespace nn;
  std::vector<OpRow> list;
  const std::vector<Shapes> images = {{{2, 4, 5, 7}}, {{1, 4, 6, 5}}};
  list.push_back(row("Linear", layer<Linear>(5, 3), {{{2, 5}}, {{5}}, {{0, 5}}}));
  list.push_back(
      row("Conv1d", layer<Conv1d>(Conv1dOptions(4, 6, 3).padding(1).groups(2)), {{{2, 4, 7}}}));
  list.push_back(
      row("Conv2d", layer<Conv2d>(Conv2dOptions(4, 6, {3, 2}).stride(2).padding({2, 1})), images));
  list.push_back(row("Conv2d_reflect",
                     layer<Conv2d>(Conv2dOptions(4, 2, 3).padding(2).padding_mode(kReflect)),
                     images));
  list.push_back(row("Conv2d_circular",
                     layer<Conv2d>(Conv2dOptions(4, 2, 3).padding({1, 2}).padding_mode(kCircular)),
                     images));
  list.push_back(row("ConvTranspose1d",
                     layer<ConvTranspose1d>(ConvTranspose1dOptions(4, 2, 3).stride(2)),
                     {{{2, 4, 5}}}));
  list.push_back(
      row("ConvTranspose2d",
          layer<ConvTranspose2d>(
              ConvTranspose2dOptions(4, 2, {3, 2}).stride(2).padding(1).output_padding(1)),
          images));
  list.push_back(row("BatchNorm1d", layer<BatchNorm1d>(3), {{{5, 3}}, {{2, 3, 5}}}));
  list.push_back(row("BatchNorm2d", layer<BatchNorm2d>(4), images));
  list.push_back(row("LayerNorm", layer<LayerNorm>(LayerNormOptions({3, 5})), {{{2, 3, 5}}}));
  list.push_back(row("GroupNorm", layer<GroupNorm>(GroupNormOptions(2, 4)), images));
  list.push_back(
      row("InstanceNorm2d", layer<InstanceNorm2d>(InstanceNorm2dOptions(4).affine(true)), images));
  list.push_back(row("Softmax", layer<Softmax>(SoftmaxOptions(1)), {{{2, 3, 5}}}));
  list.push_back(row("LogSoftmax", layer<LogSoftmax>(LogSoftmaxOptions(1)), {{{2, 3, 5}}}));
  list.push_back(row("Dropout2d", layer<Dropout2d>(0.4), images));
  list.push_back(
      row("MaxPool2d", layer<MaxPool2d>(MaxPool2dOptions(3).stride(2).padding(1)), images));
  list.push_back(
      row("AvgPool2d", layer<AvgPool2d>(AvgPool2dOptions(3).stride(2).padding(1)), images));
  list.push_back(
      row("AdaptiveAvgPool2d", layer<AdaptiveAvgPool2d>(AdaptiveAvgPool2dOptions({2, 3})), images));
  list.push_back(row("Flatten", layer<Flatten>(), images));
  list.push_back(
      row("PReLU", layer<PReLU>(PReLUOptions().num_parameters(4)), images, {{-2, 2, {0}}}));
  const auto recurrent = [](auto make) {
    return [make](const variable_list& x) -> variable_list {
      manual_seed(7);
      auto m = make();
      m->to(x[0].scalar_type());
      return {std::get<0>(m->forward(x[0], x[1]))};
    };
  };
  list.push_back(list_row("RNN", recurrent([] { return RNN(RNNOptions(3, 2).num_layers(2)); }),
                          {{{4, 2, 3}, {2, 2, 2}}}));
  list.push_back(list_row("GRU",
                          recurrent([] { return GRU(GRUOptions(3, 2).bidirectional(true)); }),
                          {{{4, 2, 3}, {2, 2, 2}}}));
  list.push_back(list_row("LSTM",
                          [](const variable_list& x) -> variable_list {
                            manual_seed(7);
                            LSTM m(LSTMOptions(3, 4).proj_size(2));
                            m->to(x[0].scalar_type());
                            auto [y, state] = m->forward(x[0], std::make_tuple(x[1], x[2]));
                            return {y, std::get<1>(state)};
                          },
                          {{{4, 2, 3}, {1, 2, 2}, {1, 2, 4}}}));
  list.push_back(list_row("multi_head_attention_forward",
                          [](const variable_list& x) -> variable_list {
                            manual_seed(7);
                            const Tensor in = randn({12, 4}, kDouble).to(x[0].dtype());
                            const Tensor out = randn({4, 4}, kDouble).to(x[0].dtype());
                            const Tensor bias = zeros({12}, x[0].options());
                            const auto [y, weights] = F::multi_head_attention_forward(
                                x[0], x[1], x[2],
                                F::MultiheadAttentionForwardFuncOptions(
                                    4, 2, in, bias, {}, {}, false, 0, out, bias.slice(0, 0, 4)));
                            return {y, weights};
                          },
                          {{{3, 2, 4}, {5, 2, 4}, {5, 2, 4}}}));
  list.push_back(row("TransformerEncoderLayer",
                     layer<TransformerEncoderLayer>(
                         TransformerEncoderLayerOptions(4, 2).dim_feedforward(6).dropout(0)),
                     {{{3, 2, 4}}}));
  const std::vector<Shapes> volumes = {{{2, 2, 3, 4, 3}}};
  list.push_back(
      row("Conv3d", layer<Conv3d>(Conv3dOptions(2, 3, 2).stride(2).padding(1)), volumes));
  list.push_back(
      row("ConvTranspose3d", layer<ConvTranspose3d>(ConvTranspose3dOptions(2, 3, 2)), volumes));
  list.push_back(row("BatchNorm3d", layer<BatchNorm3d>(2), volumes));
  for (OpRow& r : list) r.float32_tolerance = 2e-4;
  return list;
}
TAPEDECK_OP_TABLE(Layers, layers());

}  // namespace
}  // namespace tapedeck
