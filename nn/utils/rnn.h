#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include <tapedeck/autograd/variable.h>

// Batches of sequences of different lengths.

namespace tapedeck::nn::utils::rnn {

/// Sequences laid out step by step: first the elements 0 of all of them, then the elements 1 of
/// those that have one, and so on. The sequences are in order of falling length. Made by the
/// functions below, and taken by forward_with_packed_input of the recurrent networks.
class PackedSequence {
 public:
  explicit PackedSequence(Tensor data, Tensor batch_sizes, Tensor sorted_indices = {},
                          Tensor unsorted_indices = {});

  const Tensor& data() const { return data_; }                ///< [sum of the lengths, ...]
  const Tensor& batch_sizes() const { return batch_sizes_; }  ///< how many sequences reach a step
  /// The order that the sequences were brought to, and the way back; undefined where they came
  /// sorted.
  const Tensor& sorted_indices() const { return sorted_indices_; }
  const Tensor& unsorted_indices() const { return unsorted_indices_; }

  /// With the data converted.
  PackedSequence to(TensorOptions options) const;
  PackedSequence cpu() const { return *this; }
  /// \throws Error: there is no such device.
  PackedSequence cuda() const;
  PackedSequence pin_memory() const { return *this; }
  bool is_cuda() const { return false; }
  bool is_pinned() const { return false; }

 private:
  Tensor data_, batch_sizes_, sorted_indices_, unsorted_indices_;
};

/// The permutation p' with p'[p[i]] = i; undefined of an undefined one.
Tensor invert_permutation(const Tensor& permutation);

/// Packs input [T, B, ...], or [B, T, ...] with batch_first, of which sequence b is lengths[b]
/// long. \throws Error for lengths that do not fit, and, where they should be sorted and are not.
PackedSequence pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first = false,
                                    bool enforce_sorted = true);
/// The way back: the sequences [T, B, ...] filled up with padding_value to T, the longest length or
/// total_length, and the lengths [B].
std::tuple<Tensor, Tensor> pad_packed_sequence(
    PackedSequence sequence, bool batch_first = false, double padding_value = 0.0,
    std::optional<std::int64_t> total_length = std::nullopt);
/// Sequences [T_b, ...] as one tensor [T, B, ...], or [B, T, ...].
Tensor pad_sequence(ArrayRef<Tensor> sequences, bool batch_first = false, double padding_value = 0);
/// Packs sequences [T_b, ...].
PackedSequence pack_sequence(ArrayRef<Tensor> sequences, bool enforce_sorted = true);

}  // namespace tapedeck::nn::utils::rnn
