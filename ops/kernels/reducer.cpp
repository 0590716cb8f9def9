#include <tapedeck/ops/kernels/reducer.h>

#include <algorithm>
#include <vector>

#include <tapedeck/array/parallel.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/loop_nest.h>

namespace tapedeck::kernels {

namespace {

constexpr std::int64_t kGrain = 32768;  // elements worth a chunk
constexpr std::int64_t kBatch = 512;    // accumulators on the stack
constexpr std::int64_t kMaxAccSize = sizeof(Moments);
constexpr std::int64_t kShortRow = 64;  // bytes of a row that vectors fill badly
constexpr std::int64_t kWideRow = 128;  // elements of several such rows that are folded as one
constexpr std::int64_t kManyJobs = 16;  // enough to keep threads busy without splitting

// The axes of the collapsed nest, the reduced ones apart from the others. Operand 0 is the input,
// operand 1 the output.
struct Split {
  LoopNest kept{IntArrayRef{}}, reduced{IntArrayRef{}};

  explicit Split(const LoopNest& nest) {
    kept = nest;
    reduced = nest;
    kept.dims = reduced.dims = 0;
    kept.numel = reduced.numel = 1;
    reduced.operands = 1;
    for (int d = 0; d < nest.dims; ++d) {
      LoopNest& to = nest.strides[1][d] == 0 ? reduced : kept;
      to.sizes[to.dims] = nest.sizes[d];
      to.numel *= nest.sizes[d];
      for (int k = 0; k < 2; ++k) to.strides[k][to.dims] = nest.strides[k][d];
      ++to.dims;
    }
  }
};

class Run {
 public:
  Run(const Reducer& reducer, const Split& split, const ReduceParams& params)
      : reducer_(reducer), kept_(split.kept), reduced_(split.reduced), params_(params) {}

  // The innermost axis is reduced: each result folds whole runs.
  void over_runs() {
    const std::int64_t results = kept_.numel, each = reduced_.numel, part = part_of_runs();
    const std::int64_t blocks = (each + part - 1) / part;
    if (blocks == 1) {
      parallel_for(results, std::max<std::int64_t>(1, kGrain / each),
                   [&](std::int64_t begin, std::int64_t end) {
                     alignas(64) char acc[kBatch * kMaxAccSize];
                     kept_.for_each_run(begin, end, [&](char* const* at, std::int64_t n) {
                       for (std::int64_t i = 0; i < n; i += kBatch) {
                         const std::int64_t count = std::min(kBatch, n - i);
                         reducer_.init(acc, count);
                         fold_runs(acc, at[0] + i * in_stride(), count, 0, each);
                         reducer_.finish(acc, at[1] + i * out_stride(), out_stride(), count,
                                         params_);
                       }
                     });
                   });
      return;
    }
    const std::int64_t width = results * reducer_.acc_size;
    std::vector<char> partial(static_cast<std::size_t>(blocks * width));
    parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        char* acc = partial.data() + b * width;
        reducer_.init(acc, results);
        const std::int64_t first = b * part, last = std::min(each, first + part);
        kept_.for_each_run(0, results, [&](char* const* at, std::int64_t n) {
          fold_runs(acc, at[0], n, first, last);
          acc += n * reducer_.acc_size;
        });
      }
    });
    for (std::int64_t b = 1; b < blocks; ++b)
      reducer_.merge(partial.data(), partial.data() + b * width, results);
    const char* acc = partial.data();
    kept_.for_each_run(0, results, [&](char* const* at, std::int64_t n) {
      reducer_.finish(acc, at[1], out_stride(), n, params_);
      acc += n * reducer_.acc_size;
    });
  }

  // The innermost axis is kept: rows are folded element by element, a tile of columns at a time.
  void over_rows() {
    const int inner = kept_.dims - 1;
    const std::int64_t columns = kept_.sizes[inner], rows = reduced_.numel;
    const std::int64_t out_step = kept_.strides[1][inner];
    const std::int64_t tile = std::min(columns, kBatch), tiles = (columns + tile - 1) / tile;
    // Tiles become the innermost axis of the nest of jobs.
    kept_.sizes[inner] = tiles;
    kept_.strides[0][inner] *= tile;
    kept_.strides[1][inner] *= tile;
    const std::int64_t jobs = kept_.numel / columns * tiles;
    const auto width_of = [=](std::int64_t job) {
      return std::min(tile, columns - job % tiles * tile);
    };

    const bool gapless = out_step == kept_.item_size[1];
    const bool fold_into_out = gapless && reducer_.acc_is_result;
    const bool few = gapless && reducer_.few_rows && reduced_.dims == 1 && rows <= reducer_.few;

    const std::int64_t block_rows = std::max<std::int64_t>(1, 2 * kGrain / tile);
    const std::int64_t blocks = jobs < kManyJobs ? (rows + block_rows - 1) / block_rows : 1;
    if (blocks == 1) {
      parallel_for(jobs, std::max<std::int64_t>(1, kGrain / (rows * tile)),
                   [&](std::int64_t begin, std::int64_t end) {
                     alignas(64) char acc[kBatch * kMaxAccSize];
                     for_each_job(begin, end, [&](std::int64_t job, const char* in, char* out) {
                       const std::int64_t width = width_of(job);
                       if (few)
                         return reducer_.few_rows(out, in, reduced_.inner_stride(0), rows, width);
                       char* const results = fold_into_out ? out : acc;
                       reducer_.init(results, width);
                       fold_rows(results, in, width, 0, rows);
                       if (!fold_into_out) reducer_.finish(acc, out, out_step, width, params_);
                     });
                   });
      return;
    }
    const std::int64_t job_size = tile * reducer_.acc_size, width = jobs * job_size;
    std::vector<char> partial(static_cast<std::size_t>(blocks * width));
    parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b)
        for_each_job(0, jobs, [&](std::int64_t job, const char* in, char*) {
          char* const acc = partial.data() + b * width + job * job_size;
          reducer_.init(acc, tile);
          fold_rows(acc, in, width_of(job), b * block_rows, std::min(rows, (b + 1) * block_rows));
        });
    });
    for (std::int64_t b = 1; b < blocks; ++b)
      reducer_.merge(partial.data(), partial.data() + b * width, jobs * tile);
    for_each_job(0, jobs, [&](std::int64_t job, const char*, char* out) {
      reducer_.finish(partial.data() + job * job_size, out, out_step, width_of(job), params_);
    });
  }

 private:
  // How many of a result's elements over_runs() takes at a time: all of them where there are enough
  // results, but those of one stretch of memory where the results' elements lie among each other.
  std::int64_t part_of_runs() const {
    const std::int64_t results = kept_.numel, each = reduced_.numel;
    if (results < kManyJobs) return 2 * kGrain;
    if (results > kBatch || reduced_.dims < 2 || reduced_.strides[0][0] < kept_.strides[0][0])
      return each;
    const std::int64_t run = reduced_.inner_size();
    return std::max<std::int64_t>(1, 2 * kGrain / (results * run)) * run;
  }

  std::int64_t in_stride() const { return kept_.inner_stride(0); }
  std::int64_t out_stride() const { return kept_.inner_stride(1); }

  template <typename Body>
  void for_each_job(std::int64_t begin, std::int64_t end, Body&& body) const {
    std::int64_t job = begin;
    kept_.for_each_run(begin, end, [&](char* const* at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i, ++job)
        body(job, at[0] + i * in_stride(), at[1] + i * out_stride());
    });
  }

  // Calls body(pointer, count) for each run of the reduced elements [first, last) from `in` on. One
  // axis needs no nest, of which a copy takes longer than some rows.
  template <typename Body>
  void for_each_reduced_run(const char* in, std::int64_t first, std::int64_t last,
                            Body&& body) const {
    if (reduced_.dims == 1) return body(in + first * reduced_.inner_stride(0), last - first);
    LoopNest nest = reduced_;
    nest.data[0] = const_cast<char*>(in);
    nest.for_each_run(first, last, [&](char* const* at, std::int64_t n) { body(at[0], n); });
  }

  // The reduced elements [first, last) of `count` results whose inputs begin at `in`.
  void fold_runs(void* acc, const char* in, std::int64_t count, std::int64_t first,
                 std::int64_t last) const {
    for_each_reduced_run(in, first, last, [&](const char* run, std::int64_t n) {
      reducer_.runs(acc, run, in_stride(), count, n);
    });
  }
  void fold_rows(void* acc, const char* in, std::int64_t width, std::int64_t first,
                 std::int64_t last) const {
    const std::int64_t stride = reduced_.inner_stride(0);
    const std::int64_t bytes = width * reduced_.item_size[0];
    const std::int64_t joined = stride == bytes && bytes < kShortRow ? kWideRow / width : 1;
    for_each_reduced_run(in, first, last, [&](const char* rows, std::int64_t n) {
      std::int64_t r = 0;
      if (joined > 1 && n >= 4 * joined) {
        fold_joined_rows(acc, rows, stride, n / joined, width, joined);
        r = n / joined * joined;
      }
      reducer_.rows(acc, rows + r * stride, stride, n - r, width);
    });
  }
  // `joined` rows at a time, which have no gaps between them, as one with accumulators of its own:
  // short rows are mostly ends of vectors.
  void fold_joined_rows(void* acc, const char* in, std::int64_t stride, std::int64_t count,
                        std::int64_t width, std::int64_t joined) const {
    alignas(64) char wide[kWideRow * kMaxAccSize];
    reducer_.init(wide, joined * width);
    reducer_.rows(wide, in, joined * stride, count, joined * width);
    for (std::int64_t j = 0; j < joined; ++j)
      reducer_.merge(acc, wide + j * width * reducer_.acc_size, width);
  }

  const Reducer& reducer_;
  LoopNest kept_, reduced_;
  const ReduceParams& params_;
};

}  // namespace

void run_reducer(const Reducer& reducer, const Array& x, const Array& out,
                 const ReduceParams& params) {
  LoopNest nest(x.sizes());
  nest.add(x);
  nest.add(out);
  nest.collapse();
  if (nest.inner_stride(0) != nest.item_size[0]) {
    run_reducer(reducer, clone(x), out, params);
    return;
  }
  Run run(reducer, Split(nest), params);
  if (nest.dims == 0 || nest.strides[1][nest.dims - 1] == 0)
    run.over_runs();
  else
    run.over_rows();
}

}  // namespace tapedeck::kernels
