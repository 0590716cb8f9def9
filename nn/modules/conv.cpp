#include <tapedeck/nn/modules/conv.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/padding.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/conv_padding.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/conv3d.h>
#include <tapedeck/ops/creation.h>

namespace tapedeck::nn {

namespace detail {

namespace {

template <std::size_t D, typename Options>
constexpr bool is_transposed = std::is_same_v<Options, ConvTransposeOptions<D>>;

template <std::size_t D>
bool all_are(const ExpandingArray<D>& values, std::int64_t value) {
  return values == ExpandingArray<D>(value);
}

// ", padding=(1, 1)", ", padding=same", or nothing for none.
template <std::size_t D>
std::string padding_text(const conv_padding_t<D>& padding) {
  if (const auto* numbers = get_if<ExpandingArray<D>>(&padding))
    return all_are(*numbers, 0) ? "" : ", padding=" + text::of_tuple(*numbers);
  if (const auto* sides = get_if<SidedPadding<D>>(&padding))
    return ", padding=" + text::of_tuple(sides->sides);
  const std::string name = holds_alternative<enumtype::kSame>(padding) ? "same" : "valid";
  return ", padding=" + (text::in_python() ? name : "'" + name + "'");
}

}  // namespace

template <std::size_t D, typename Derived, typename Options>
ConvNdImpl<D, Derived, Options>::ConvNdImpl(const Options& options_) : options(options_) {
  ConvNdImpl::reset();
}
template <std::size_t D, typename Derived, typename Options>
void ConvNdImpl<D, Derived, Options>::reset() {
  const std::int64_t in = options.in_channels(), out = options.out_channels();
  const std::int64_t groups = options.groups();
  TAPEDECK_CHECK_AS(ValueError, in > 0 && out > 0 && groups > 0,
                    "convolution: in_channels, out_channels and groups must be greater than zero, "
                    "got ",
                    in, ", ", out, " and ", groups);
  TAPEDECK_CHECK_AS(ValueError, in % groups == 0,
                    "convolution: in_channels must be divisible by groups, got ", in, " and ",
                    groups);
  TAPEDECK_CHECK_AS(ValueError, out % groups == 0,
                    "convolution: out_channels must be divisible by groups, got ", out, " and ",
                    groups);
  std::vector<std::int64_t> sizes = is_transposed<D, Options>
                                        ? std::vector<std::int64_t>{in, out / groups}
                                        : std::vector<std::int64_t>{out, in / groups};
  sizes.insert(sizes.end(), options.kernel_size()->begin(), options.kernel_size()->end());
  weight = this->register_parameter("weight", tapedeck::empty(sizes));
  bias = this->register_parameter("bias", options.bias() ? empty(out) : Tensor(), options.bias());
  reset_parameters();
}

template <std::size_t D, typename Derived, typename Options>
void ConvNdImpl<D, Derived, Options>::reset_parameters() {
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  if (!bias.defined()) return;
  const auto [fan_in, fan_out] = init::_calculate_fan_in_and_fan_out(weight);
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  init::uniform_(bias, -bound, bound);
}

template <std::size_t D, typename Derived, typename Options>
void ConvNdImpl<D, Derived, Options>::pretty_print(std::ostream& stream) const {
  stream << text::name(is_transposed<D, Options> ? "ConvTranspose" : "Conv") << D << "d("
         << options.in_channels() << ", " << options.out_channels()
         << ", kernel_size=" << text::of_tuple(options.kernel_size())
         << ", stride=" << text::of_tuple(options.stride()) << padding_text<D>(options.padding());
  if (!all_are(options.dilation(), 1))
    stream << ", dilation=" << text::of_tuple(options.dilation());
  if constexpr (is_transposed<D, Options>)
    if (!all_are(options.output_padding(), 0))
      stream << ", output_padding=" << text::of_tuple(options.output_padding());
  if (options.groups() != 1) stream << ", groups=" << options.groups();
  if (!options.bias()) stream << ", bias=" << text::of_bool(false);
  if (!holds_alternative<enumtype::kZeros>(options.padding_mode()))
    stream << ", padding_mode=" << text::of_choice(options.padding_mode().held());
  stream << ")";
}

template class ConvNdImpl<1, Conv1dImpl, Conv1dOptions>;
template class ConvNdImpl<2, Conv2dImpl, Conv2dOptions>;
template class ConvNdImpl<3, Conv3dImpl, Conv3dOptions>;
template class ConvNdImpl<1, ConvTranspose1dImpl, ConvTranspose1dOptions>;
template class ConvNdImpl<2, ConvTranspose2dImpl, ConvTranspose2dOptions>;
template class ConvNdImpl<3, ConvTranspose3dImpl, ConvTranspose3dOptions>;

namespace {

// The numbers of rows and columns that functional::pad adds, {before, after} of the last axis
// first, for a convolution whose padding holds no zeros.
template <std::size_t D, typename Options>
std::vector<std::int64_t> explicit_padding(const Options& options, const Tensor& input) {
  std::vector<std::int64_t> result;
  for (std::size_t axis = D; axis-- > 0;) {
    std::int64_t before = 0, after = 0;
    if (const auto* numbers = get_if<ExpandingArray<D>>(&options.padding())) {
      before = after = (**numbers)[axis];
    } else if (const auto* sided = get_if<SidedPadding<D>>(&options.padding())) {
      before = (*sided->sides)[2 * axis];
      after = (*sided->sides)[2 * axis + 1];
    } else if (holds_alternative<enumtype::kSame>(options.padding())) {
      const std::int64_t stride = (*options.stride())[axis];
      const std::int64_t span =
          (*options.dilation())[axis] * ((*options.kernel_size())[axis] - 1) + 1;
      const std::int64_t size =
          input.size(static_cast<std::int64_t>(axis) - static_cast<std::int64_t>(D));
      const std::int64_t total =
          std::max<std::int64_t>(0, ((size + stride - 1) / stride - 1) * stride + span - size);
      before = total / 2;
      after = total - before;
    }
    result.push_back(before);
    result.push_back(after);
  }
  return result;
}

template <std::size_t D, typename Options>
Tensor padded(const Options& options, const Tensor& input) {
  functional::PadFuncOptions pad(explicit_padding<D>(options, input));
  if (holds_alternative<enumtype::kReflect>(options.padding_mode())) pad.mode(kReflect);
  if (holds_alternative<enumtype::kReplicate>(options.padding_mode())) pad.mode(kReplicate);
  if (holds_alternative<enumtype::kCircular>(options.padding_mode())) pad.mode(kCircular);
  return functional::pad(input, pad);
}

template <std::size_t D, typename Options>
Tensor convolve(const Options& options, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  constexpr auto conv = D == 1 ? conv1d : D == 2 ? conv2d : conv3d;
  if (holds_alternative<enumtype::kZeros>(options.padding_mode()))
    return conv(x, weight, bias, options.stride(), conv_padding_of<D>(options.padding()),
                options.dilation(), options.groups());
  return conv(padded<D>(options, x), weight, bias, options.stride(), 0, options.dilation(),
              options.groups());
}

// The output_padding that gives this output size.
template <std::size_t D>
ExpandingArray<D> output_padding_for(const ConvTransposeOptions<D>& options, const Tensor& input,
                                     const std::optional<IntArrayRef>& output_size) {
  if (!output_size) return options.output_padding();
  TAPEDECK_CHECK_DEFINED("conv_transpose", input);
  IntArrayRef sizes = *output_size;
  const auto dims = static_cast<std::size_t>(input.dim());
  if (sizes.size() == dims && dims >= D) sizes = sizes.slice(dims - D);
  TAPEDECK_CHECK_AS(ValueError, sizes.size() == D, "conv_transpose", D, "d: output_size must have ",
                    D, " or ", dims, " elements (got ", output_size->size(), ")");
  const auto* numbers = get_if<ExpandingArray<D>>(&options.padding());
  const auto* sided = get_if<SidedPadding<D>>(&options.padding());
  TAPEDECK_CHECK_AS(ValueError, numbers || sided, "conv_transpose", D,
                    "d: output_size needs a padding in numbers");
  ExpandingArray<D> result(0);
  for (std::size_t axis = 0; axis < D; ++axis) {
    const std::int64_t cut =
        numbers ? 2 * (**numbers)[axis] : (*sided->sides)[2 * axis] + (*sided->sides)[2 * axis + 1];
    const std::int64_t least =
        (*options.stride())[axis] *
            (input.size(static_cast<std::int64_t>(axis) - static_cast<std::int64_t>(D)) - 1) +
        (*options.dilation())[axis] * ((*options.kernel_size())[axis] - 1) + 1 - cut;
    const std::int64_t most = least + (*options.stride())[axis] - 1;
    TAPEDECK_CHECK_AS(ValueError, sizes[axis] >= least && sizes[axis] <= most, "conv_transpose", D,
                      "d: requested an output size of ", sizes, ", but valid sizes range from ",
                      least, " to ", most, " along axis ", axis, " (input ", input.sizes(), ")");
    (*result)[axis] = sizes[axis] - least;
  }
  return result;
}

template <std::size_t D>
Tensor convolve_transposed(const ConvTransposeOptions<D>& options, const Tensor& x,
                           const Tensor& weight, const Tensor& bias,
                           const std::optional<IntArrayRef>& output_size) {
  TAPEDECK_CHECK_AS(ValueError, holds_alternative<enumtype::kZeros>(options.padding_mode()),
                    "conv_transpose", D, "d: only `zeros` padding mode is supported");
  constexpr auto conv = D == 1 ? conv_transpose1d : D == 2 ? conv_transpose2d : conv_transpose3d;
  return conv(x, weight, bias, options.stride(), conv_padding_of<D>(options.padding()),
              output_padding_for<D>(options, x, output_size), options.groups(), options.dilation());
}

}  // namespace

template <std::size_t D, typename Derived>
ConvLayerImpl<D, Derived>::ConvLayerImpl(const ConvOptions<D>& options_)
    : ConvNdImpl<D, Derived, ConvOptions<D>>(options_) {}
template <std::size_t D, typename Derived>
ConvLayerImpl<D, Derived>::ConvLayerImpl(std::int64_t in_channels, std::int64_t out_channels,
                                         ExpandingArray<D> kernel_size, ExpandingArray<D> stride,
                                         const conv_padding_t<D>& padding,
                                         ExpandingArray<D> dilation, std::int64_t groups,
                                         bool with_bias)
    : ConvLayerImpl(ConvOptions<D>(in_channels, out_channels, kernel_size)
                        .stride(stride)
                        .padding(padding)
                        .dilation(dilation)
                        .groups(groups)
                        .bias(with_bias)) {}
template <std::size_t D, typename Derived>
Tensor ConvLayerImpl<D, Derived>::forward(const Tensor& input) {
  return call_module(
      *this,
      [this](const Tensor& x) { return convolve<D>(this->options, x, this->weight, this->bias); },
      input);
}

template <std::size_t D, typename Derived>
ConvTransposeLayerImpl<D, Derived>::ConvTransposeLayerImpl(const ConvTransposeOptions<D>& options_)
    : ConvNdImpl<D, Derived, ConvTransposeOptions<D>>(options_) {}
template <std::size_t D, typename Derived>
ConvTransposeLayerImpl<D, Derived>::ConvTransposeLayerImpl(
    std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size,
    ExpandingArray<D> stride, const conv_padding_t<D>& padding, ExpandingArray<D> output_padding,
    std::int64_t groups, bool with_bias, ExpandingArray<D> dilation)
    : ConvTransposeLayerImpl(ConvTransposeOptions<D>(in_channels, out_channels, kernel_size)
                                 .stride(stride)
                                 .padding(padding)
                                 .output_padding(output_padding)
                                 .groups(groups)
                                 .bias(with_bias)
                                 .dilation(dilation)) {}
template <std::size_t D, typename Derived>
Tensor ConvTransposeLayerImpl<D, Derived>::forward(const Tensor& input,
                                                   const std::optional<IntArrayRef>& output_size) {
  return call_module(
      *this,
      [&](const Tensor& x) {
        return convolve_transposed<D>(this->options, x, this->weight, this->bias, output_size);
      },
      input);
}

template class ConvLayerImpl<1, Conv1dImpl>;
template class ConvLayerImpl<2, Conv2dImpl>;
template class ConvLayerImpl<3, Conv3dImpl>;
template class ConvTransposeLayerImpl<1, ConvTranspose1dImpl>;
template class ConvTransposeLayerImpl<2, ConvTranspose2dImpl>;
template class ConvTransposeLayerImpl<3, ConvTranspose3dImpl>;

}  // namespace detail

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<2> kernel_size,
               ExpandingArray<2> stride, const detail::conv_padding_t<2>& padding,
               ExpandingArray<2> dilation, std::int64_t groups, bool with_bias)
    : ModuleHolder(std::make_shared<Conv2dImpl>(in_channels, out_channels, kernel_size, stride,
                                                padding, dilation, groups, with_bias)) {}
ConvTranspose2d::ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels,
                                 ExpandingArray<2> kernel_size, ExpandingArray<2> stride,
                                 const detail::conv_padding_t<2>& padding,
                                 ExpandingArray<2> output_padding, std::int64_t groups,
                                 bool with_bias, ExpandingArray<2> dilation)
    : ModuleHolder(std::make_shared<ConvTranspose2dImpl>(in_channels, out_channels, kernel_size,
                                                         stride, padding, output_padding, groups,
                                                         with_bias, dilation)) {}

TAPEDECK_DEFINE_DEFAULT_ARGS(ConvTranspose1dImpl, {1, AnyValue(std::optional<IntArrayRef>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(ConvTranspose2dImpl, {1, AnyValue(std::optional<IntArrayRef>())})
TAPEDECK_DEFINE_DEFAULT_ARGS(ConvTranspose3dImpl, {1, AnyValue(std::optional<IntArrayRef>())})

// Not in the headers, so that the tables of these classes stand in the library alone.
Conv1dImpl::~Conv1dImpl() = default;
Conv2dImpl::~Conv2dImpl() = default;
Conv3dImpl::~Conv3dImpl() = default;

template class Cloneable<Conv1dImpl>;
template class Cloneable<ConvTranspose1dImpl>;
template class Cloneable<Conv2dImpl>;
template class Cloneable<Conv3dImpl>;
template class Cloneable<ConvTranspose2dImpl>;
template class Cloneable<ConvTranspose3dImpl>;

}  // namespace tapedeck::nn
