#include <tapedeck/nn/utils/rnn.h>

#include <algorithm>
#include <vector>

#include <tapedeck/ops/creation.h>
#include <tapedeck/ops/index.h>
#include <tapedeck/ops/joining.h>
#include <tapedeck/ops/shape.h>
#include <tapedeck/ops/sorting.h>

namespace tapedeck::nn::utils::rnn {

namespace {

std::vector<std::int64_t> numbers_of(const Tensor& t) {
  const Tensor whole = t.contiguous();
  return {whole.data_ptr<std::int64_t>(), whole.data_ptr<std::int64_t>() + whole.numel()};
}

// x [T, ...] followed by rows of `value` up to `length`.
Tensor padded(const Tensor& x, std::int64_t length, double value) {
  if (x.size(0) == length) return x;
  DimVector sizes(x.sizes());
  sizes[0] = length - x.size(0);
  return cat({x, full(sizes, value, x.options())}, 0);
}

}  // namespace

Tensor invert_permutation(const Tensor& permutation) {
  if (!permutation.defined()) return {};
  Tensor inverse = empty_like(permutation);
  return inverse.scatter_(0, permutation, arange(permutation.numel(), permutation.options()));
}

PackedSequence::PackedSequence(Tensor data, Tensor batch_sizes, Tensor sorted_indices,
                               Tensor unsorted_indices)
    : data_(std::move(data)),
      batch_sizes_(std::move(batch_sizes)),
      sorted_indices_(std::move(sorted_indices)),
      unsorted_indices_(std::move(unsorted_indices)) {
  if (!unsorted_indices_.defined()) unsorted_indices_ = invert_permutation(sorted_indices_);
}

PackedSequence PackedSequence::to(TensorOptions options) const {
  const Tensor data = data_.to(options);
  if (data.is_same(data_)) return *this;
  return PackedSequence(data, batch_sizes_, sorted_indices_, unsorted_indices_);
}
PackedSequence PackedSequence::cuda() const { return to(TensorOptions().device(kCUDA)); }

PackedSequence pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first,
                                    bool enforce_sorted) {
  const std::int64_t batch_dim = batch_first ? 0 : 1;
  lengths = lengths.to(kInt64);
  Tensor order;
  if (!enforce_sorted) {
    std::tie(lengths, order) = lengths.sort(-1, true);
    input = input.index_select(batch_dim, order);
  }
  TAPEDECK_CHECK(input.dim() >= 2 && input.numel() > 0,
                 "pack_padded_sequence: Cannot pack empty tensors. (input ", input.sizes(), ")");
  if (batch_first) input = input.transpose(0, 1);
  const std::vector<std::int64_t> all = numbers_of(lengths);
  TAPEDECK_CHECK(
      lengths.dim() == 1 && lengths.numel() == input.size(1),
      "pack_padded_sequence: Expected `len(lengths)` to be equal to batch_size, but got ",
      lengths.sizes(), " (batch_size=", input.size(1), ")");
  TAPEDECK_CHECK(std::is_sorted(all.rbegin(), all.rend()),
                 "pack_padded_sequence: `lengths` array must be sorted in decreasing order when "
                 "`enforce_sorted` is True. You can pass `enforce_sorted=False` to "
                 "pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
                 "not need ONNX exportability.");
  TAPEDECK_CHECK(
      all.back() > 0 && all.front() <= input.size(0),
      "pack_padded_sequence: Length of all samples has to be greater than 0, and at most "
      "that of the input, got lengths from ",
      all.back(), " to ", all.front(), " (input ", input.sizes(), ")");
  std::vector<Tensor> steps;
  std::vector<std::int64_t> counts;
  for (std::int64_t t = 0; t < all.front(); ++t) {
    const auto count = static_cast<std::int64_t>(
        std::count_if(all.begin(), all.end(), [t](std::int64_t length) { return length > t; }));
    counts.push_back(count);
    steps.push_back(input.select(0, t).slice(0, 0, count));
  }
  return PackedSequence(cat(steps, 0), tensor(counts), order);
}

std::tuple<Tensor, Tensor> pad_packed_sequence(PackedSequence sequence, bool batch_first,
                                               double padding_value,
                                               std::optional<std::int64_t> total_length) {
  const std::vector<std::int64_t> counts = numbers_of(sequence.batch_sizes());
  const auto T = static_cast<std::int64_t>(counts.size());
  TAPEDECK_CHECK(total_length.value_or(T) >= T,
                 "pad_packed_sequence: Expected total_length to be at least the length of the "
                 "longest sequence in input, but got total_length=",
                 total_length.value_or(T), " and max sequence length being ", T);
  std::vector<Tensor> steps;
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(counts.front()), 0);
  std::int64_t start = 0;
  for (const std::int64_t count : counts) {
    steps.push_back(
        padded(sequence.data().slice(0, start, start + count), counts.front(), padding_value));
    for (std::int64_t b = 0; b < count; ++b) ++lengths[static_cast<std::size_t>(b)];
    start += count;
  }
  Tensor output = padded(stack(steps, 0), total_length.value_or(T), padding_value);
  Tensor all_lengths = tensor(lengths);
  if (sequence.unsorted_indices().defined()) {
    output = output.index_select(1, sequence.unsorted_indices());
    all_lengths = all_lengths.index_select(0, sequence.unsorted_indices());
  }
  return {batch_first ? output.transpose(0, 1) : output, all_lengths};
}

Tensor pad_sequence(ArrayRef<Tensor> sequences, bool batch_first, double padding_value) {
  TAPEDECK_CHECK(!sequences.empty(), "pad_sequence: received an empty list of sequences");
  std::int64_t T = 0;
  for (const Tensor& s : sequences) T = std::max(T, s.size(0));
  std::vector<Tensor> rows;
  for (const Tensor& s : sequences) rows.push_back(padded(s, T, padding_value));
  return stack(rows, batch_first ? 0 : 1);
}

PackedSequence pack_sequence(ArrayRef<Tensor> sequences, bool enforce_sorted) {
  std::vector<std::int64_t> lengths;
  for (const Tensor& s : sequences) lengths.push_back(s.size(0));
  return pack_padded_sequence(pad_sequence(sequences), tensor(lengths), false, enforce_sorted);
}

}  // namespace tapedeck::nn::utils::rnn
