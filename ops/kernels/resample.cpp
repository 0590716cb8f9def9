#include <tapedeck/ops/kernels/resample.h>

#include <algorithm>

#include <tapedeck/array/dispatch.h>
#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/move_bytes.h>
#include <tapedeck/ops/kernels/pool_geometry.h>
#include <tapedeck/ops/kernels/resample_rows.h>
#include <tapedeck/ops/kernels/scratch.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 16384;  // elements worth a chunk

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// The terms of an axis regrouped by vectors of outputs.
template <typename T>
class VectorSamples {
 public:
  VectorSamples(const AxisSamples& axis, std::int64_t lanes) : lanes_(lanes) {
    terms_.push_back(0);
    for (std::int64_t first = 0; first < axis.outputs(); first += lanes) {
      const std::int64_t last = std::min(axis.outputs(), first + lanes);
      std::int32_t most = 0;
      for (std::int64_t o = first; o < last; ++o) most = std::max(most, count_of(axis, o));
      for (std::int64_t o = first; o < last; ++o) some_rest_ |= count_of(axis, o) < most;
      for (std::int32_t k = 0; k < most; ++k) add_term(axis, first, last, k);
      terms_.push_back(static_cast<std::int32_t>(bases_.size()));
    }
    outputs_ = axis.outputs();
  }

  RowSamples<T> view() const {
    return {outputs_,       terms_.data(),   bases_.data(), spans_.data(),
            places_.data(), weights_.data(), some_rest_};
  }

 private:
  static std::int32_t count_of(const AxisSamples& axis, std::int64_t o) {
    return axis.begins[at(o + 1)] - axis.begins[at(o)];
  }

  // The k-th term of the outputs [first, last).
  void add_term(const AxisSamples& axis, std::int64_t first, std::int64_t last, std::int32_t k) {
    std::int32_t low = static_cast<std::int32_t>(axis.inputs), high = 0;
    for (std::int64_t o = first; o < last; ++o)
      if (k < count_of(axis, o)) {
        low = std::min(low, axis.indices[at(axis.begins[at(o)] + k)]);
        high = std::max(high, axis.indices[at(axis.begins[at(o)] + k)]);
      }
    bases_.push_back(low);
    spans_.push_back(static_cast<std::int32_t>((high - low) / lanes_ + 1));
    for (std::int64_t o = first; o < first + lanes_; ++o) {
      const bool present = o < last && k < count_of(axis, o);
      const std::size_t term = present ? at(axis.begins[at(o)] + k) : 0;
      places_.push_back(present ? axis.indices[term] - low : 0);
      weights_.push_back(present ? static_cast<T>(axis.weights[term]) : T{0});
    }
  }

  std::int64_t lanes_, outputs_ = 0;
  std::vector<std::int32_t> terms_, bases_, spans_;
  std::vector<index_of_width<T>> places_;
  std::vector<T> weights_;
  bool some_rest_ = false;
};

// What the rows of a plane are combined with, row by row of the output.
template <typename T>
class RowCombination {
 public:
  explicit RowCombination(const AxisSamples& axis)
      : axis_(axis), weights_(axis.weights.begin(), axis.weights.end()) {
    for (std::int64_t o = 0; o < axis.outputs(); ++o)
      most_ = std::max(most_, axis.begins[at(o + 1)] - axis.begins[at(o)]);
    for (std::int64_t o = 0; o < axis.outputs(); ++o) repeats_.push_back(o > 0 && same_terms(o));
  }

  // Calls combine(rows, weights, count) for row o of a plane whose rows have `width` elements;
  // `rows` is space for most() pointers.
  template <typename Combine>
  void operator()(const T* plane, std::int64_t o, std::int64_t width, const T** rows,
                  const Combine& combine) const {
    const std::int32_t begin = axis_.begins[at(o)], count = axis_.begins[at(o + 1)] - begin;
    for (std::int32_t k = 0; k < count; ++k) rows[k] = plane + axis_.indices[at(begin + k)] * width;
    combine(rows, weights_.data() + begin, count);
  }
  std::size_t most() const { return static_cast<std::size_t>(most_); }
  /// Whether row o > 0 of a plane is that before it once more.
  bool repeats(std::int64_t o) const { return repeats_[at(o)] != 0; }

 private:
  bool same_terms(std::int64_t o) const {
    const std::int32_t last = axis_.begins[at(o - 1)], begin = axis_.begins[at(o)];
    const std::int32_t count = axis_.begins[at(o + 1)] - begin;
    if (begin - last != count) return false;
    for (std::int32_t k = 0; k < count; ++k)
      if (axis_.indices[at(last + k)] != axis_.indices[at(begin + k)] ||
          weights_[at(last + k)] != weights_[at(begin + k)])
        return false;
    return true;
  }

  const AxisSamples& axis_;
  std::vector<T> weights_;
  std::vector<char> repeats_;
  std::int32_t most_ = 0;
};

// Calls body(plane, row in the plane, row) for the rows [begin, end) of planes of `height` rows.
template <typename Body>
void for_each_row(std::int64_t begin, std::int64_t end, std::int64_t height, const Body& body) {
  std::int64_t plane = begin / height, o = begin % height;
  for (std::int64_t r = begin; r < end; ++r) {
    body(plane, o, r);
    if (++o < height) continue;
    o = 0;
    ++plane;
  }
}

// in [outer, axis.inputs, width] to out [outer, axis.outputs, width]
template <typename T>
void resample_rows_of(const T* in, std::int64_t outer, const AxisSamples& axis, std::int64_t width,
                      T* out) {
  const ResampleRows<T>& loops = resample_rows<T>();
  const RowCombination<T> terms_of(axis);
  const std::int64_t OH = axis.outputs();
  parallel_for(outer * OH, std::max<std::int64_t>(1, kGrain / width),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<const T*> rows(terms_of.most());
                 for_each_row(begin, end, OH, [&](std::int64_t p, std::int64_t o, std::int64_t r) {
                   terms_of(in + p * axis.inputs * width, o, width, rows.data(),
                            [&](const T* const* from, const T* weights, std::int64_t count) {
                              loops.combine(from, weights, count, width, out + r * width);
                            });
                 });
               });
}

// in [planes, lines.inputs, columns.inputs] to out [planes, lines.outputs, columns.outputs]. Rows
// are combined first: what is sampled has just been written, with room behind it. A row that stands
// for itself is sampled where it is, if there is room.
template <typename T>
void resample_planes(const T* in, std::int64_t planes, const AxisSamples& lines,
                     const AxisSamples& columns, T* out) {
  constexpr std::int64_t kSize = sizeof(T);
  const ResampleRows<T>& loops = resample_rows<T>();
  const std::int64_t lanes = loops.lanes();
  const VectorSamples<T> vectors(columns, lanes);
  const RowSamples<T> samples = vectors.view();
  const RowCombination<T> terms_of(lines);
  const std::int64_t H = lines.inputs, OH = lines.outputs();
  const std::int64_t W = columns.inputs, OW = columns.outputs();
  const std::int64_t last_with_room = planes * H * W - W - 2 * lanes;
  parallel_for(planes * OH, std::max<std::int64_t>(1, kGrain / (W + OW)),
               [&](std::int64_t begin, std::int64_t end) {
                 std::vector<const T*> rows(terms_of.most());
                 const Scratch<T> row(W + 2 * lanes);
                 std::fill_n(row.data() + W, 2 * lanes, T{0});
                 for_each_row(begin, end, OH, [&](std::int64_t p, std::int64_t o, std::int64_t r) {
                   if (r > begin && terms_of.repeats(o))
                     return move_bytes(reinterpret_cast<char*>(out + r * OW),
                                       reinterpret_cast<const char*>(out + (r - 1) * OW),
                                       OW * kSize);
                   const T* combined = row.data();
                   terms_of(in + p * H * W, o, W, rows.data(),
                            [&](const T* const* from, const T* weights, std::int64_t count) {
                              if (count == 1 && weights[0] == 1 && from[0] - in <= last_with_room)
                                combined = from[0];
                              else
                                loops.combine_with_room(from, weights, count, W, row.data());
                            });
                   loops.sample(combined, samples, out + r * OW);
                 });
               });
}

// Each row as it is.
AxisSamples every_row(std::int64_t rows) {
  AxisSamples axis;
  axis.inputs = rows;
  for (std::int64_t o = 0; o < rows; ++o) {
    axis.add_term(o, 1);
    axis.end_output();
  }
  return axis;
}

std::int64_t product(IntArrayRef sizes) {
  std::int64_t n = 1;
  for (const std::int64_t size : sizes) n *= size;
  return n;
}

// Resamples axis `dim`, or with `columns` that and the next one, which is the last.
template <typename T>
Array resample_axis(const Array& x, std::int64_t dim, const AxisSamples& axis,
                    const AxisSamples* columns) {
  DimVector sizes = x.sizes();
  sizes[dim] = axis.outputs();
  if (columns) sizes[dim + 1] = columns->outputs();
  const Array out = Array::empty(sizes, x.dtype());
  if (out.numel() == 0) return out;
  const std::int64_t outer = product(x.sizes().ref().slice(0, at(dim)));
  if (columns)
    resample_planes(x.data<T>(), outer, axis, *columns, out.data<T>());
  else
    resample_rows_of(x.data<T>(), outer, axis, product(x.sizes().ref().slice(at(dim) + 1)),
                     out.data<T>());
  return out;
}

}  // namespace

void AxisSamples::add_term(std::int64_t index, double weight) {
  indices.push_back(static_cast<std::int32_t>(index));
  weights.push_back(weight);
}
void AxisSamples::end_output() { begins.push_back(static_cast<std::int32_t>(indices.size())); }

AxisSamples transposed(const AxisSamples& samples) {
  struct Term {
    std::int64_t output;
    double weight;
  };
  std::vector<std::vector<Term>> terms(at(samples.inputs));
  for (std::int64_t o = 0; o < samples.outputs(); ++o)
    for (std::int32_t k = samples.begins[at(o)]; k < samples.begins[at(o + 1)]; ++k) {
      std::vector<Term>& of_input = terms[at(samples.indices[at(k)])];
      const double weight = samples.weights[at(k)];
      // At the edges an input may stand in several terms of an output.
      if (!of_input.empty() && of_input.back().output == o)
        of_input.back().weight += weight;
      else
        of_input.push_back({o, weight});
    }
  AxisSamples out;
  out.inputs = samples.outputs();
  for (const std::vector<Term>& of_input : terms) {
    for (const Term& term : of_input)
      if (term.weight != 0) out.add_term(term.output, term.weight);
    out.end_output();
  }
  return out;
}

Resampling transposed(const Resampling& resampling) {
  Resampling out;
  for (const auto& axis : resampling)
    out.push_back(axis ? std::optional(transposed(*axis)) : std::nullopt);
  return out;
}

Array resample(const Array& x, const Resampling& axes) {
  TAPEDECK_CHECK(!axes.empty() && x.dim() == static_cast<std::int64_t>(axes.size()) + 2,
                 "resample: expected an input of ", axes.size() + 2,
                 " dimensions, one of them to resample, got ", x.sizes().ref());
  for (std::size_t a = 0; a < axes.size(); ++a)
    TAPEDECK_CHECK(!axes[a] || axes[a]->inputs == x.sizes()[static_cast<std::int64_t>(a) + 2],
                   "resample: expected ", axes[a]->inputs, " inputs along axis ", a + 2, ", got ",
                   x.sizes().ref());
  return dispatch_floating(x.dtype(), "resample", [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (axes.size() == 2 && has_inner_channels(x)) {
      // Pixels are rows of channels then, along either axis.
      Array pixels = x.permute({0, 2, 3, 1});
      for (const std::int64_t axis : {0, 1})
        if (axes[at(axis)]) pixels = resample_axis<T>(pixels, axis + 1, *axes[at(axis)], nullptr);
      return (pixels.shares_storage(x) ? clone(pixels) : pixels).permute({0, 3, 1, 2});
    }
    Array y = contiguous(x);
    const std::size_t last = axes.size() - 1;
    for (std::size_t a = 0; a < last; ++a) {
      const auto dim = static_cast<std::int64_t>(a) + 2;
      if (a + 1 == last && axes[last])
        y = resample_axis<T>(y, dim, axes[a] ? *axes[a] : every_row(y.sizes()[dim]), &*axes[last]);
      else if (axes[a])
        y = resample_axis<T>(y, dim, *axes[a], nullptr);
    }
    if (last == 0 && axes[0]) y = resample_axis<T>(y, 1, every_row(y.sizes()[1]), &*axes[0]);
    return y.shares_storage(x) ? clone(x) : y;
  });
}

}  // namespace tapedeck::kernels
