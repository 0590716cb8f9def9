#include <tapedeck/autograd/gradcheck.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include <tapedeck/autograd/autograd.h>
#include <tapedeck/autograd/grad_mode.h>
#include <tapedeck/ops/kernels/copy.h>

namespace tapedeck::autograd {

namespace {

constexpr std::size_t kWorstShown = 5;

struct Deviation {
  std::size_t input;
  DimVector index;
  double analytic, numeric, relative;
};

std::vector<double> values_of(const Variable& v) {
  const Array flat = kernels::contiguous(v.array());
  return {flat.data<double>(), flat.data<double>() + flat.numel()};
}

DimVector unravel(std::int64_t i, IntArrayRef sizes) {
  DimVector index(sizes.size());
  for (std::size_t d = sizes.size(); d-- > 0;) {
    index[d] = i % sizes[d];
    i /= sizes[d];
  }
  return index;
}

double& element(const Variable& v, const DimVector& index) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < index.size(); ++d) offset += index[d] * v.array().strides()[d];
  return v.array().data<double>()[offset];
}

bool is_checked(const Variable& v) { return v.defined() && v.requires_grad(); }

// Outputs that have a gradient.
variable_list differentiable_outputs(const GradcheckFunction& f, const variable_list& inputs) {
  variable_list outputs;
  for (Variable& y : f(inputs))
    if (y.defined() && y.is_floating_point()) outputs.push_back(std::move(y));
  return outputs;
}

// Leaves of their own, with the layout of the originals, so that no element is shared.
variable_list fresh_leaves(const variable_list& inputs) {
  variable_list leaves;
  for (const Variable& x : inputs) {
    if (!is_checked(x)) {
      leaves.push_back(x);
      continue;
    }
    TAPEDECK_CHECK_AS(TypeError, x.dtype() == kFloat64, "gradcheck: input ", leaves.size(),
                      " must be float64 (differences in lower precision prove nothing), got ",
                      x.dtype(), " ", x.sizes());
    TAPEDECK_CHECK(!x.array().has_internal_overlap(), "gradcheck: input ", leaves.size(),
                   " has elements that share memory (sizes ", x.sizes(), ", strides ", x.strides(),
                   "): clone() it");
    std::int64_t extent = 1;
    for (std::int64_t d = 0; d < x.dim(); ++d)
      extent += std::max<std::int64_t>(0, x.size(d) - 1) * x.stride(d);
    const Array memory = kernels::full({extent}, 0, kFloat64);
    Array copy = memory.as_strided(x.sizes(), x.strides(), memory.offset());
    kernels::copy(x.array(), copy);
    leaves.push_back(Variable(copy).requires_grad_());
  }
  return leaves;
}

variable_list random_like(const variable_list& tensors, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  variable_list result;
  for (const Variable& t : tensors) {
    Array a = Array::empty(t.sizes(), kFloat64);
    for (std::int64_t i = 0; i < a.numel(); ++i) a.data<double>()[i] = uniform(random);
    result.emplace_back(std::move(a));
  }
  return result;
}

double weighted_sum(const GradcheckFunction& f, const variable_list& inputs,
                    const variable_list& cotangents) {
  const NoGradGuard no_grad;
  const variable_list outputs = differentiable_outputs(f, inputs);
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto y = values_of(outputs[i]), v = values_of(cotangents[i]);
    for (std::size_t j = 0; j < y.size(); ++j) sum += y[j] * v[j];
  }
  return sum;
}

std::string describe(std::vector<Deviation> deviations, std::size_t compared) {
  std::sort(deviations.begin(), deviations.end(),
            [](const Deviation& a, const Deviation& b) { return a.relative > b.relative; });
  std::ostringstream out;
  out.precision(10);
  out << deviations.size() << " of " << compared << " derivatives differ; the worst:";
  for (std::size_t i = 0; i < std::min(kWorstShown, deviations.size()); ++i) {
    const Deviation& d = deviations[i];
    out << "\n  input " << d.input << " at " << d.index.ref() << ": analytic " << d.analytic
        << ", numeric " << d.numeric << ", relative error " << d.relative;
  }
  return out.str();
}

GradcheckResult failed(std::string report) { return {false, std::move(report)}; }

}  // namespace

GradcheckResult gradcheck(const GradcheckFunction& f, const variable_list& inputs,
                          const GradcheckOptions& options) {
  const variable_list leaves = fresh_leaves(inputs);
  variable_list checked;
  for (const Variable& x : leaves)
    if (is_checked(x)) checked.push_back(x);
  TAPEDECK_CHECK(!checked.empty(), "gradcheck: no input requires grad");

  const AutoGradMode recording(true);
  std::vector<std::vector<double>> before;
  for (const Variable& x : checked) before.push_back(values_of(x));
  const variable_list outputs = differentiable_outputs(f, leaves);
  std::mt19937_64 random(options.seed);
  variable_list cotangents = random_like(outputs, random);
  variable_list roots, weights;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    TAPEDECK_CHECK_AS(TypeError, outputs[i].dtype() == kFloat64, "gradcheck: output ", i, " is ",
                      outputs[i].dtype(), ", not float64");
    if (!outputs[i].requires_grad()) continue;
    roots.push_back(outputs[i]);
    weights.push_back(cotangents[i]);
  }
  variable_list grads(checked.size()), again(checked.size());
  if (!roots.empty()) {
    grads = grad(roots, checked, weights, true, false, true);
    again = grad(roots, checked, weights, true, false, true);
  }

  std::vector<Deviation> deviations;
  std::size_t compared = 0, position = 0;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!is_checked(leaves[i])) continue;
    const Variable& x = leaves[i];
    const std::size_t k = position++;
    std::vector<double> analytic(static_cast<std::size_t>(x.numel()), 0.0);
    if (grads[k].defined()) {
      if (!(grads[k].array().sizes() == x.array().sizes()))
        return failed(tapedeck::detail::str("the gradient of input ", i, " has shape ",
                                            grads[k].sizes(), ", expected ", x.sizes()));
      analytic = values_of(grads[k]);
      const auto second = values_of(again[k]);
      const auto same = [](double a, double b) { return a == b || (a != a && b != b); };
      if (!std::equal(analytic.begin(), analytic.end(), second.begin(), same))
        return failed(tapedeck::detail::str("the gradient of input ", i,
                                            " differs when backward is run a second time"));
    }
    if (values_of(x) != before[k])
      return failed(tapedeck::detail::str("input ", i, " was changed by the function"));
    for (std::int64_t j = 0; j < x.numel(); ++j, ++compared) {
      const DimVector index = unravel(j, x.sizes());
      double& value = element(x, index);
      const double original = value;
      value = original + options.eps;
      const double above = weighted_sum(f, leaves, cotangents);
      value = original - options.eps;
      const double below = weighted_sum(f, leaves, cotangents);
      value = original;
      const double numeric = (above - below) / (2 * options.eps);
      const double got = analytic[static_cast<std::size_t>(j)];
      const double error = std::abs(got - numeric);
      if (!(error <= options.atol + options.rtol * std::abs(numeric)))
        deviations.push_back({i, index, got, numeric, error / std::max(std::abs(numeric), 1e-300)});
    }
  }
  if (!deviations.empty()) return failed(describe(std::move(deviations), compared));
  return {};
}

GradcheckResult gradgradcheck(const GradcheckFunction& f, const variable_list& inputs,
                              const GradcheckOptions& options) {
  const std::size_t n = inputs.size();
  const variable_list probe = [&] {
    const NoGradGuard no_grad;
    return differentiable_outputs(f, inputs);
  }();
  std::mt19937_64 random(options.seed + 1);
  variable_list all = inputs;
  for (const Variable& v : random_like(probe, random)) all.push_back(Variable(v).requires_grad_());

  const GradcheckFunction first_derivative([&f, n](const variable_list& arguments) {
    const AutoGradMode recording(true);
    variable_list x(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(n));
    const variable_list cotangents(arguments.begin() + static_cast<std::ptrdiff_t>(n),
                                   arguments.end());
    variable_list wanted, roots, weights;
    for (const Variable& v : x)
      if (is_checked(v)) wanted.push_back(v);
    const variable_list outputs = differentiable_outputs(f, x);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i].requires_grad()) {
        roots.push_back(outputs[i]);
        weights.push_back(cotangents[i]);
      }
    variable_list grads;
    if (!roots.empty()) grads = grad(roots, wanted, weights, true, true, true);
    variable_list defined;
    for (Variable& g : grads)
      if (g.defined()) defined.push_back(std::move(g));
    return defined;
  });
  return gradcheck(first_derivative, all, options);
}

}  // namespace tapedeck::autograd
