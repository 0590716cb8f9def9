#include <tapedeck/ops/einsum.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <tapedeck/array/internal/op_scope.h>
#include <tapedeck/autograd/internal/check_defined.h>
#include <tapedeck/ops/matmul.h>
#include <tapedeck/ops/reduction.h>
#include <tapedeck/ops/shape.h>

namespace tapedeck {

using V = Variable;

namespace {

// The product of operands of equally many axes, each of one size or of 1, summed over the axes
// marked in `summed`, which remain with size 1.
V contract(V a, V b, const std::vector<bool>& summed, std::string_view op) {
  DimVector batch, left, right, inner;
  for (std::int64_t d = 0; d < a.dim(); ++d) {
    const bool in_a = a.size(d) != 1, in_b = b.size(d) != 1;
    TAPEDECK_CHECK(!in_a || !in_b || a.size(d) == b.size(d), op,
                   ": operands do not broadcast along an axis: ", a.size(d), " and ", b.size(d));
    const bool sum = summed[static_cast<std::size_t>(d)];
    if (in_a && in_b) {
      (sum ? inner : batch).push_back(d);
      continue;
    }
    if (sum && in_a) a = a.sum(d, true);
    if (sum && in_b) b = b.sum(d, true);
    (in_b ? right : left).push_back(d);
  }
  // Of small integers one may have been summed already, to int64.
  if (is_integral(a.dtype(), true) && is_integral(b.dtype(), true)) {
    a = a.to(promote_types(a.dtype(), b.dtype()));
    b = b.to(a.dtype());
  }
  const auto joined = [](std::initializer_list<const DimVector*> lists) {
    DimVector all;
    for (const DimVector* list : lists)
      for (const std::int64_t d : *list) all.push_back(d);
    return all;
  };
  const auto count = [](const V& x, const DimVector& axes) {
    std::int64_t n = 1;
    for (const std::int64_t d : axes) n *= x.size(d);
    return n;
  };
  const std::int64_t B = count(a, batch), L = count(a, left), K = count(a, inner);
  const std::int64_t R = count(b, right);
  const V x = a.permute(joined({&batch, &left, &inner, &right})).reshape({B, L, K});
  const V y = b.permute(joined({&batch, &inner, &right, &left})).reshape({B, K, R});
  const DimVector order = joined({&batch, &left, &right, &inner});
  DimVector sizes, back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::int64_t d = order[i];
    const bool is_inner = i + inner.size() >= order.size();
    sizes.push_back(is_inner ? 1 : std::max(a.size(d), b.size(d)) * (a.size(d) && b.size(d)));
    back[static_cast<std::size_t>(d)] = static_cast<std::int64_t>(i);
  }
  // [B, L, K] x [B, K, R]
  return bmm(x, y).reshape(sizes).permute(back);
}

constexpr int kLetters = 52;

int letter_number(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  return -1;
}

// The names of an operand's axes: letters by number, and one for each axis of its "...".
struct Term {
  std::vector<int> letters;
  std::ptrdiff_t dots = -1;  ///< before which letter "..." stands, if it does
};

Term parse_term(std::string_view text, std::string_view equation) {
  Term term;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] == '.') {
      TAPEDECK_CHECK(text.substr(i, 3) == "..." && term.dots < 0,
                     "einsum: expected one \"...\" for each operand at most, got \"", equation,
                     "\"");
      term.dots = static_cast<std::ptrdiff_t>(term.letters.size());
      i += 2;
      continue;
    }
    const int letter = letter_number(text[i]);
    TAPEDECK_CHECK(letter >= 0, "einsum: expected letters, got '", text[i], "' in \"", equation,
                   "\"");
    term.letters.push_back(letter);
  }
  return term;
}

std::vector<Term> parse_terms(std::string_view text, std::string_view equation) {
  std::vector<Term> terms;
  for (;;) {
    const std::size_t comma = text.find(',');
    terms.push_back(parse_term(text.substr(0, comma), equation));
    if (comma == std::string_view::npos) return terms;
    text.remove_prefix(comma + 1);
  }
}

// Where each letter and each axis of "..." lies among the axes of the result, and behind those.
struct Axes {
  std::array<std::int64_t, kLetters> letter;
  std::int64_t dots = -1;  ///< the first axis of "..."
  std::int64_t results = 0, all = 0;

  Axes() { letter.fill(-1); }
};

Axes lay_out(const std::vector<Term>& terms, const Term* result, std::int64_t dots,
             std::string_view equation) {
  std::array<int, kLetters> uses{};
  for (const Term& term : terms)
    for (const int l : term.letters) ++uses[static_cast<std::size_t>(l)];
  Axes axes;
  const auto place = [&axes](int l) { axes.letter[static_cast<std::size_t>(l)] = axes.all++; };
  const auto place_dots = [&axes, dots] {
    axes.dots = axes.all;
    axes.all += dots;
  };
  if (result) {
    for (std::size_t i = 0; i <= result->letters.size(); ++i) {
      if (result->dots == static_cast<std::ptrdiff_t>(i)) place_dots();
      if (i == result->letters.size()) break;
      const auto l = static_cast<std::size_t>(result->letters[i]);
      TAPEDECK_CHECK(uses[l] > 0 && axes.letter[l] < 0,
                     "einsum: a letter of the result must occur in an operand, and once in the "
                     "result, got \"",
                     equation, "\"");
      place(result->letters[i]);
    }
  } else {
    place_dots();
    for (int l = 0; l < kLetters; ++l)
      if (uses[static_cast<std::size_t>(l)] == 1) place(l);
  }
  axes.results = axes.all;
  if (axes.dots < 0) place_dots();
  for (int l = 0; l < kLetters; ++l)
    if (uses[static_cast<std::size_t>(l)] > 0 && axes.letter[static_cast<std::size_t>(l)] < 0)
      place(l);
  return axes;
}

// An operand with its axes where `axes` says, of size 1 where it has none.
V spread(V x, const Term& term, const Axes& axes, std::int64_t dots, std::string_view equation) {
  const std::int64_t own_dots = x.dim() - static_cast<std::int64_t>(term.letters.size());
  std::vector<std::int64_t> place;
  for (std::size_t i = 0; i <= term.letters.size(); ++i) {
    if (term.dots == static_cast<std::ptrdiff_t>(i))
      for (std::int64_t d = 0; d < own_dots; ++d) place.push_back(axes.dots + dots - own_dots + d);
    if (i < term.letters.size())
      place.push_back(axes.letter[static_cast<std::size_t>(term.letters[i])]);
  }
  for (std::size_t i = 0; i < place.size(); ++i) {
    const auto twin =
        std::find(place.begin() + static_cast<std::ptrdiff_t>(i) + 1, place.end(), place[i]);
    if (twin == place.end()) continue;
    const auto d = static_cast<std::int64_t>(i), e = std::int64_t{twin - place.begin()};
    TAPEDECK_CHECK(x.size(d) == x.size(e), "einsum: a letter that stands twice needs axes of one ",
                   "size, got shape ", x.sizes(), " in \"", equation, "\"");
    x = x.diagonal(0, d, e);
    // The diagonal's axis comes last.
    const std::int64_t axis = place[i];
    place.erase(place.begin() + e);
    place.erase(place.begin() + d);
    place.push_back(axis);
    i = static_cast<std::size_t>(-1);  // from the beginning: the axes have moved
  }
  DimVector order;
  for (std::int64_t axis = 0; axis < axes.all; ++axis) {
    const auto found = std::find(place.begin(), place.end(), axis);
    if (found != place.end()) order.push_back(std::int64_t{found - place.begin()});
  }
  x = x.permute(order);
  for (std::int64_t axis = 0; axis < axes.all; ++axis)
    if (std::find(place.begin(), place.end(), axis) == place.end()) x = x.unsqueeze(axis);
  return x;
}

}  // namespace

V einsum(std::string_view equation, TensorList tensors, OptionalIntArrayRef) {
  TAPEDECK_CHECK_DEFINED("einsum", tensors);
  const detail::OpScope scope("einsum");
  const std::size_t arrow = equation.find("->");
  const std::vector<Term> terms = parse_terms(equation.substr(0, arrow), equation);
  TAPEDECK_CHECK(terms.size() == tensors.size(), "einsum: expected ", terms.size(),
                 " operands for \"", equation, "\", got ", tensors.size());
  std::int64_t dots = 0;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const std::int64_t own = tensors[i].dim() - static_cast<std::int64_t>(terms[i].letters.size());
    TAPEDECK_CHECK(terms[i].dots >= 0 ? own >= 0 : own == 0, "einsum: operand ", i, " of shape ",
                   tensors[i].sizes(), " does not have the axes that \"", equation, "\" names");
    dots = std::max(dots, own);
  }
  Term result;
  const bool explicit_result = arrow != std::string_view::npos;
  if (explicit_result) result = parse_term(equation.substr(arrow + 2), equation);
  const Axes axes = lay_out(terms, explicit_result ? &result : nullptr, dots, equation);

  std::vector<V> operands;
  std::vector<std::size_t> last(static_cast<std::size_t>(axes.all), 0);  // where an axis ends
  for (std::size_t i = 0; i < terms.size(); ++i) {
    operands.push_back(spread(tensors[i], terms[i], axes, dots, equation));
    for (std::int64_t d = 0; d < axes.all; ++d)
      if (operands[i].size(d) != 1) last[static_cast<std::size_t>(d)] = i;
  }
  const auto summed = [&](std::size_t step) {
    std::vector<bool> mask;
    for (std::int64_t d = 0; d < axes.all; ++d)
      mask.push_back(d >= axes.results && last[static_cast<std::size_t>(d)] <= step);
    return mask;
  };
  V y = operands[0];
  const std::vector<bool> at_once = summed(0);
  DimVector dims;
  for (std::int64_t d = 0; d < axes.all; ++d)
    if (at_once[static_cast<std::size_t>(d)]) dims.push_back(d);
  if (!dims.empty()) y = y.sum(dims, true);
  for (std::size_t i = 1; i < operands.size(); ++i)
    y = contract(y, operands[i], summed(i), "einsum");
  return y.reshape(y.sizes().slice(0, static_cast<std::size_t>(axes.results)));
}

V tensordot(const V& self, const V& other, IntArrayRef dims_self, IntArrayRef dims_other) {
  TAPEDECK_CHECK_DEFINED("tensordot", self, other);
  const detail::OpScope scope("tensordot");
  TAPEDECK_CHECK(dims_self.size() == dims_other.size(),
                 "tensordot: expected as many axes of both, got ", dims_self, " and ", dims_other);
  DimVector order_self, order_other;
  for (std::size_t i = 0; i < dims_self.size(); ++i) {
    order_self.push_back(wrap_dim(dims_self[i], self.dim(), "tensordot"));
    order_other.push_back(wrap_dim(dims_other[i], other.dim(), "tensordot"));
  }
  const auto add_others = [](DimVector& order, std::int64_t dim) {
    for (std::int64_t d = 0; d < dim; ++d)
      if (std::find(order.begin(), order.end(), d) == order.end()) order.push_back(d);
    TAPEDECK_CHECK(static_cast<std::int64_t>(order.size()) == dim,
                   "tensordot: an axis appears twice");
  };
  add_others(order_self, self.dim());
  add_others(order_other, other.dim());
  // Axes: the pairs, those of self alone, those of other alone.
  V a = self.permute(order_self), b = other.permute(order_other);
  const auto pairs = static_cast<std::int64_t>(dims_self.size());
  const std::int64_t own_a = self.dim() - pairs, own_b = other.dim() - pairs;
  for (std::int64_t d = 0; d < own_b; ++d) a = a.unsqueeze(-1);
  for (std::int64_t d = 0; d < own_a; ++d) b = b.unsqueeze(pairs);
  std::vector<bool> summed(static_cast<std::size_t>(pairs + own_a + own_b), false);
  std::fill_n(summed.begin(), pairs, true);
  const V y = contract(a, b, summed, "tensordot");
  return y.reshape(y.sizes().slice(static_cast<std::size_t>(pairs)));
}

}  // namespace tapedeck
