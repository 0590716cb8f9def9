// The convolutions of bench_conv.cpp by oneDNN alone, each operand in the layout that oneDNN likes
// best and nothing converted: the most that it can do.
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include <dnnl.hpp>

#include "bench/conv_cases.h"
#include "bench/suite.h"

namespace {

using bench::ConvCase;
using dnnl::memory;

struct Problem {
  memory::desc input, weight, output;
  memory::dims stride, dilation, padding;

  explicit Problem(const ConvCase& conv)
      : input(any(conv.input())),
        weight(any(weight_dims(conv))),
        output(any(conv.output())),
        stride(2, conv.stride),
        dilation(2, conv.dilation - 1),
        padding(2, conv.padding) {}

  static memory::desc any(const memory::dims& dims) {
    return {dims, memory::data_type::f32, memory::format_tag::any};
  }
  // oneDNN names the side that a layer puts out first, whichever way it goes.
  static memory::dims weight_dims(const ConvCase& conv) {
    const auto g = conv.groups;
    if (g == 1) return {conv.filters, conv.C, conv.kernel, conv.kernel};
    return {g, conv.filters / g, conv.C / g, conv.kernel, conv.kernel};
  }
};

memory random_memory(const memory::desc& desc, const dnnl::engine& engine) {
  memory out(desc, engine);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  auto* data = static_cast<float*>(out.get_data_handle());
  for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i) data[i] = normal(generator);
  return out;
}

void run(benchmark::State& state, const ConvCase& conv, const dnnl::engine& engine,
         const dnnl::primitive& primitive,
         const std::vector<std::pair<int, memory::desc>>& operands) {
  dnnl::stream stream(engine);
  std::unordered_map<int, memory> arguments;
  for (const auto& [role, desc] : operands) arguments.emplace(role, random_memory(desc, engine));
  for (auto _ : state) {
    primitive.execute(stream, arguments);
    stream.wait();
  }
  bench::count_flops(state, conv.flops());
}

constexpr auto kTraining = dnnl::prop_kind::forward_training;

template <typename Forward>
typename Forward::primitive_desc forward_desc(const Problem& p, const dnnl::engine& engine,
                                              dnnl::algorithm algorithm) {
  return {typename Forward::desc(kTraining, algorithm, p.input, p.weight, p.output, p.stride,
                                 p.dilation, p.padding, p.padding),
          engine};
}

template <typename Forward, typename BackwardData, typename BackwardWeights>
void add_directions(const ConvCase& conv, dnnl::algorithm algorithm) {
  bench::add("conv/" + conv.name + "/forward", [=](benchmark::State& state) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const auto desc = forward_desc<Forward>(Problem(conv), engine, algorithm);
    run(state, conv, engine, Forward(desc),
        {{DNNL_ARG_SRC, desc.src_desc()},
         {DNNL_ARG_WEIGHTS, desc.weights_desc()},
         {DNNL_ARG_DST, desc.dst_desc()}});
  });
  bench::add("conv/" + conv.name + "/grad_input", [=](benchmark::State& state) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const Problem p(conv);
    const typename BackwardData::primitive_desc desc(
        typename BackwardData::desc(algorithm, p.input, p.weight, p.output, p.stride, p.dilation,
                                    p.padding, p.padding),
        engine, forward_desc<Forward>(p, engine, algorithm));
    run(state, conv, engine, BackwardData(desc),
        {{DNNL_ARG_DIFF_DST, desc.diff_dst_desc()},
         {DNNL_ARG_WEIGHTS, desc.weights_desc()},
         {DNNL_ARG_DIFF_SRC, desc.diff_src_desc()}});
  });
  bench::add("conv/" + conv.name + "/grad_weight", [=](benchmark::State& state) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const Problem p(conv);
    const typename BackwardWeights::primitive_desc desc(
        typename BackwardWeights::desc(algorithm, p.input, p.weight, p.output, p.stride, p.dilation,
                                       p.padding, p.padding),
        engine, forward_desc<Forward>(p, engine, algorithm));
    run(state, conv, engine, BackwardWeights(desc),
        {{DNNL_ARG_SRC, desc.src_desc()},
         {DNNL_ARG_DIFF_DST, desc.diff_dst_desc()},
         {DNNL_ARG_DIFF_WEIGHTS, desc.diff_weights_desc()}});
  });
}

}  // namespace

void bench::add_all() {
  for (const ConvCase& conv : conv_cases()) {
    if (conv.transposed)
      add_directions<dnnl::deconvolution_forward, dnnl::deconvolution_backward_data,
                     dnnl::deconvolution_backward_weights>(conv,
                                                           dnnl::algorithm::deconvolution_direct);
    else
      add_directions<dnnl::convolution_forward, dnnl::convolution_backward_data,
                     dnnl::convolution_backward_weights>(conv, dnnl::algorithm::convolution_direct);
  }
}
