#include <tapedeck/nn/modules/embedding.h>

#include <ostream>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/nn/any_module.h>
#include <tapedeck/nn/functional/embedding.h>
#include <tapedeck/nn/init.h>
#include <tapedeck/nn/internal/print.h>
#include <tapedeck/ops/creation.h>

namespace tapedeck::nn {

namespace F = functional;

namespace {

template <typename Options>
void wrap_padding_idx(Options& options) {
  if (!options.padding_idx()) return;
  const std::int64_t rows = options.num_embeddings();
  std::int64_t& index = *options.padding_idx();
  TAPEDECK_CHECK_AS(ValueError, index >= -rows && index < rows,
                    "Embedding: padding_idx must be within num_embeddings, got ", index, " for ",
                    rows);
  if (index < 0) index += rows;
}

// The table: the given one, or a new one to be filled.
template <typename Options>
Tensor table_of(const Options& options) {
  if (!options._weight().defined())
    return empty({options.num_embeddings(), options.embedding_dim()});
  TAPEDECK_CHECK(options._weight().dim() == 2 &&
                     options._weight().size(0) == options.num_embeddings() &&
                     options._weight().size(1) == options.embedding_dim(),
                 "Embedding: the shape of weight does not match num_embeddings and embedding_dim: "
                 "expected [",
                 options.num_embeddings(), ", ", options.embedding_dim(), "], got ",
                 options._weight().sizes());
  return options._weight();
}

void fill_table(const Tensor& weight, const std::optional<std::int64_t>& padding_idx) {
  init::normal_(weight);
  if (!padding_idx) return;
  const NoGradGuard no_grad;
  weight.select(0, *padding_idx).fill_(0);
}

template <typename Options>
void print_common(std::ostream& stream, const char* name, const Options& options) {
  const bool python = text::in_python();
  stream << text::name(name) << (python ? "(" : "(num_embeddings=") << options.num_embeddings()
         << (python ? ", " : ", embedding_dim=") << options.embedding_dim();
}
template <typename Options>
void print_norm(std::ostream& stream, const Options& options) {
  if (options.max_norm()) stream << ", max_norm=" << text::of_number(*options.max_norm());
  if (options.norm_type() != 2) stream << ", norm_type=" << text::of_number(options.norm_type());
  if (options.scale_grad_by_freq()) stream << ", scale_grad_by_freq=" << text::of_bool(true);
  if (options.sparse()) stream << ", sparse=" << text::of_bool(true);
}

}  // namespace

EmbeddingImpl::EmbeddingImpl(EmbeddingOptions options_) : options(std::move(options_)) { reset(); }
void EmbeddingImpl::reset() {
  const tapedeck::detail::OpScope scope("Embedding");
  wrap_padding_idx(options);
  weight = register_parameter("weight", table_of(options));
  if (!options._weight().defined()) reset_parameters();
}
void EmbeddingImpl::reset_parameters() { fill_table(weight, options.padding_idx()); }
void EmbeddingImpl::pretty_print(std::ostream& stream) const {
  print_common(stream, "Embedding", options);
  if (options.padding_idx()) stream << ", padding_idx=" << *options.padding_idx();
  print_norm(stream, options);
  stream << ")";
}
Tensor EmbeddingImpl::forward(const Tensor& input) {
  return detail::call_module(
      *this,
      [this](const Tensor& x) {
        return F::embedding(x, weight,
                            F::EmbeddingFuncOptions()
                                .padding_idx(options.padding_idx())
                                .max_norm(options.max_norm())
                                .norm_type(options.norm_type())
                                .scale_grad_by_freq(options.scale_grad_by_freq())
                                .sparse(options.sparse()));
      },
      input);
}

Embedding Embedding::from_pretrained(const Tensor& embeddings,
                                     const EmbeddingFromPretrainedOptions& options) {
  TAPEDECK_CHECK(embeddings.dim() == 2,
                 "from_pretrained: expected embeddings of 2 dimensions, got ", embeddings.sizes());
  Embedding module(EmbeddingOptions(embeddings.size(0), embeddings.size(1))
                       ._weight(embeddings)
                       .padding_idx(options.padding_idx())
                       .max_norm(options.max_norm())
                       .norm_type(options.norm_type())
                       .scale_grad_by_freq(options.scale_grad_by_freq())
                       .sparse(options.sparse()));
  module->weight.requires_grad_(!options.freeze());
  return module;
}

EmbeddingBagImpl::EmbeddingBagImpl(EmbeddingBagOptions options_) : options(std::move(options_)) {
  reset();
}
void EmbeddingBagImpl::reset() {
  const tapedeck::detail::OpScope scope("EmbeddingBag");
  wrap_padding_idx(options);
  weight = register_parameter("weight", table_of(options));
  if (!options._weight().defined()) reset_parameters();
}
// Unlike a table of single rows, and as in libtorch, a bag leaves its padding row as it is drawn.
void EmbeddingBagImpl::reset_parameters() { fill_table(weight, std::nullopt); }
void EmbeddingBagImpl::pretty_print(std::ostream& stream) const {
  print_common(stream, "EmbeddingBag", options);
  print_norm(stream, options);
  const std::string mode = text::of_choice(options.mode().held());
  if (text::in_python())
    stream << ", mode='" << mode << "'";
  else if (!holds_alternative<enumtype::kMean>(options.mode()))
    stream << ", mode=" << mode;
  if (options.include_last_offset() && !text::in_python())
    stream << ", include_last_offset=" << text::of_bool(true);
  if (options.padding_idx()) stream << ", padding_idx=" << *options.padding_idx();
  stream << ")";
}
Tensor EmbeddingBagImpl::forward(const Tensor& input, const Tensor& offsets,
                                 const Tensor& per_sample_weights) {
  return detail::call_module(
      *this,
      [this](const Tensor& x, const Tensor& starts, const Tensor& weights) {
        return F::embedding_bag(x, weight,
                                F::EmbeddingBagFuncOptions()
                                    .offsets(starts)
                                    .per_sample_weights(weights)
                                    .max_norm(options.max_norm())
                                    .norm_type(options.norm_type())
                                    .scale_grad_by_freq(options.scale_grad_by_freq())
                                    .mode(options.mode())
                                    .sparse(options.sparse())
                                    .include_last_offset(options.include_last_offset())
                                    .padding_idx(options.padding_idx()));
      },
      input, offsets, per_sample_weights);
}

EmbeddingBag EmbeddingBag::from_pretrained(const Tensor& embeddings,
                                           const EmbeddingBagFromPretrainedOptions& options) {
  TAPEDECK_CHECK(embeddings.dim() == 2,
                 "from_pretrained: expected embeddings of 2 dimensions, got ", embeddings.sizes());
  EmbeddingBag module(EmbeddingBagOptions(embeddings.size(0), embeddings.size(1))
                          ._weight(embeddings)
                          .padding_idx(options.padding_idx())
                          .max_norm(options.max_norm())
                          .norm_type(options.norm_type())
                          .scale_grad_by_freq(options.scale_grad_by_freq())
                          .mode(options.mode())
                          .sparse(options.sparse())
                          .include_last_offset(options.include_last_offset()));
  module->weight.requires_grad_(!options.freeze());
  return module;
}

TAPEDECK_DEFINE_DEFAULT_ARGS(EmbeddingBagImpl, {1, AnyValue(Tensor())}, {2, AnyValue(Tensor())})

template class Cloneable<EmbeddingImpl>;
template class Cloneable<EmbeddingBagImpl>;

}  // namespace tapedeck::nn
