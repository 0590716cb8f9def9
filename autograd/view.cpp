#include <tapedeck/autograd/view.h>

#include <algorithm>

#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/autograd/grad_state.h>
#include <tapedeck/autograd/record.h>
#include <tapedeck/ops/kernels/copy.h>
#include <tapedeck/ops/kernels/strided_region.h>

namespace tapedeck::autograd {

namespace {

// Elements from the first to the last that the sizes and strides reach, inclusive.
std::int64_t extent(IntArrayRef sizes, IntArrayRef strides) {
  std::int64_t n = 1;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0) return 0;
    n += (sizes[i] - 1) * strides[i];
  }
  return n;
}

// True where two indices may name one element: some stride is smaller than what the smaller ones
// span.
bool overlaps_itself(IntArrayRef sizes, IntArrayRef strides) {
  DimVector order;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] > 1) order.push_back(static_cast<std::int64_t>(i));
  std::sort(order.begin(), order.end(),
            [&](std::int64_t a, std::int64_t b) { return strides[a] < strides[b]; });
  std::int64_t span = 1;
  for (const std::int64_t i : order) {
    if (strides[i] < span) return true;
    span += (sizes[i] - 1) * strides[i];
  }
  return false;
}

// Zeroed memory that both the base and the region fit into.
Array scratch(const StridedRegion& r, ScalarType dtype) {
  const std::int64_t n =
      std::max(extent(r.base_sizes, r.base_strides), r.offset + extent(r.sizes, r.strides));
  return kernels::full({n}, 0, dtype);
}
Array base_in(const Array& memory, const StridedRegion& r) {
  return memory.as_strided(r.base_sizes, r.base_strides, memory.offset());
}
Array region_in(const Array& memory, const StridedRegion& r) {
  return memory.as_strided(r.sizes, r.strides, memory.offset() + r.offset);
}

// The base's elements in memory of their own, laid out as the region wants them.
Array laid_out(const Variable& base, const StridedRegion& r) {
  Array memory = scratch(r, base.dtype());
  Array target = base_in(memory, r);
  kernels::copy(base.array(), target);
  return memory;
}

// What the values written by an op without a derivative leave behind: the same requires_grad, and
// no gradient beyond this point.
Variable cut_history(const Variable& self, const Variable& result) {
  Variable cut(result.array());
  record(cut, "FillBackward0", edges(self), [](const Variable& g, const VjpContext& ctx) {
    return ctx.needs(0) ? Variable(kernels::full(g.sizes(), 0, g.dtype())) : Variable();
  });
  return cut;
}

void give_history(VariableImpl& impl, const Variable& source) {
  const intrusive_ptr<Node> before = impl.grad_fn;
  impl.grad_fn = source.impl()->grad_fn;
  impl.output_nr = source.impl()->output_nr;
  impl.requires_grad = false;
  if (impl.grad_state && impl.grad_state->retains_grad) {
    // The gradient that is kept is that of the value from now on.
    if (before) before->remove_hook(impl.grad_state->retain_key);
    impl.grad_state->retains_grad = false;
    Variable(intrusive_ptr<VariableImpl>(&impl)).retain_grad();
  }
}

// The base after a view of it was overwritten: its old history outside the view, the new value's
// inside it.
void rebase(VariableImpl& view, const Variable& result) {
  const Variable base(view.base);
  const StridedRegion region = StridedRegion::of(base.array(), view.array);
  Variable changed(base.array());
  record(changed, "CopySlices", edges(base, result),
         [region](const Variable& g, const VjpContext& ctx) {
           return Gradients{ctx.needs(0) ? clear_region(g, region) : Variable(),
                            ctx.needs(1) ? gather_region(g, region) : Variable()};
         });
  give_history(*view.base, changed);
  view.grad_fn_version = view.array.storage()->version() - 1;  // to be renewed from the base
}

}  // namespace

Variable make_view(const Variable& self, Array array) {
  Variable view(std::move(array));
  VariableImpl& impl = *view.impl();
  // A view of an inference tensor is one itself, and of no base: gradients never look for it.
  if (self.is_inference()) return view;
  impl.base = self.impl()->base ? self.impl()->base : intrusive_ptr<VariableImpl>(self.impl());
  impl.creation_meta = !self.impl()->follows_base()  ? self.impl()->creation_meta
                       : InferenceMode::is_enabled() ? CreationMeta::INFERENCE_MODE
                       : !GradMode::is_enabled()     ? CreationMeta::NO_GRAD_MODE
                                                     : CreationMeta::DEFAULT;
  impl.counts_versions = self.impl()->counts_versions;
  impl.grad_fn_version = impl.array.storage()->version();
  return view;
}

void check_inference_write(const Array& target, const char* op) {
  TAPEDECK_CHECK(!target.storage()->is_inference() || InferenceMode::is_enabled(), op,
                 ": Inplace update to inference tensor outside InferenceMode is not allowed. You "
                 "can make a clone to get a normal tensor before doing inplace update (shape ",
                 target.sizes(), ")");
}

void check_inplace(const Variable& self, const char* op) {
  check_inference_write(self.array(), op);
  TAPEDECK_CHECK(!self.array().has_internal_overlap(), op,
                 ": unsupported operation: more than one element of the written-to tensor refers "
                 "to a single memory location. Please clone() the tensor before performing the "
                 "operation (shape ",
                 self.sizes(), ", strides ", self.strides(), ")");
  if (!GradMode::is_enabled()) return;
  const VariableImpl& impl = *self.impl();
  if (impl.base) {
    const Variable base(impl.base);
    TAPEDECK_CHECK(impl.follows_base() || !base.requires_grad(), op, ": A view was created in ",
                   impl.creation_meta == CreationMeta::INFERENCE_MODE ? "inference" : "no_grad",
                   " mode and is being modified inplace with grad mode enabled");
    TAPEDECK_CHECK(!base.impl()->requires_grad, op,
                   ": a view of a leaf Variable that requires grad is being used in an in-place "
                   "operation.");
  }
  TAPEDECK_CHECK(!impl.requires_grad || impl.grad_fn, op,
                 ": a leaf Variable that requires grad is being used in an in-place operation.");
}

Variable& finish_inplace(const Variable& self) {
  if (self.impl()->counts_versions) self.array().storage()->bump_version();
  return const_cast<Variable&>(self);
}

Variable& assign_inplace(const Variable& self, const Variable& result, const char* op) {
  check_inplace(self, op);
  TAPEDECK_CHECK(result.array().sizes() == self.array().sizes(), op, ": output with shape ",
                 self.sizes(), " doesn't match the broadcast shape ", result.sizes());
  const ScalarType have = result.dtype(), want = self.dtype();
  TAPEDECK_CHECK_AS(TypeError, can_cast(have, want), op, ": result type ", have,
                    " can't be cast to the desired output type ", want);
  Variable value = have == want ? result : result.to(want);
  Array target = self.array();
  const bool record_it = GradMode::is_enabled() && (value.requires_grad() || self.requires_grad());
  if (record_it) {
    if (!value.requires_grad()) value = cut_history(self, value);
    if (!value.grad_fn()) value = value.clone();
  }
  kernels::copy(value.array(), target);
  finish_inplace(self);
  if (record_it) {
    if (self.impl()->base && self.impl()->follows_base())
      rebase(*self.impl(), value);
    else
      give_history(*self.impl(), value);
  }
  return const_cast<Variable&>(self);
}

StridedRegion StridedRegion::of(const Array& base, const Array& view) {
  return {base.sizes(), base.strides(), view.sizes(), view.strides(),
          view.offset() - base.offset()};
}

// y = base[region];  dbase = scatter(g)
Variable gather_region(const Variable& base, const StridedRegion& region) {
  const bool in_place = base.array().strides() == region.base_strides;
  const Array memory = in_place ? base.array() : laid_out(base, region);
  Variable y(kernels::clone(region_in(memory, region)));
  if (should_record(base))
    record(y, "GatherRegionBackward0", edges(base),
           [region](const Variable& g) { return scatter_region(g, region); });
  return y;
}

// y = 0, y[region] += source;  dsource = gather(g)
Variable scatter_region(const Variable& source, const StridedRegion& region) {
  Array memory = scratch(region, source.dtype());
  Array target = region_in(memory, region);
  if (overlaps_itself(region.sizes, region.strides))
    kernels::accumulate_strided(source.array(), target);
  else
    kernels::copy(source.array(), target);
  Variable y(kernels::contiguous(base_in(memory, region)));
  if (should_record(source))
    record(y, "ScatterRegionBackward0", edges(source),
           [region](const Variable& g) { return gather_region(g, region); });
  return y;
}

// y = base, y[region] = 0;  dbase = clear(g)
Variable clear_region(const Variable& base, const StridedRegion& region) {
  Array memory = laid_out(base, region);
  Array target = region_in(memory, region);
  kernels::fill(target, 0);
  Variable y(kernels::contiguous(base_in(memory, region)));
  if (should_record(base))
    record(y, "ClearRegionBackward0", edges(base),
           [region](const Variable& g) { return clear_region(g, region); });
  return y;
}

// y = base[region], sharing memory;  dbase = scatter(g)
Variable view_of_base(const Variable& base, const Array& view) {
  Variable y(view);
  if (should_record(base))
    record(y, "AsStridedBackward0", edges(base),
           [region = StridedRegion::of(base.array(), view)](const Variable& g) {
             return scatter_region(g, region);
           });
  return y;
}

}  // namespace tapedeck::autograd
