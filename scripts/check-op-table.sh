#!/usr/bin/env bash
# Checks that every public differentiable function has a row in the op table, which is what checks
# its first and second derivative, layouts, empty and scalar inputs, and float32.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Results without a derivative, and what only serves the others.
not_differentiable='argwhere|bitwise_\w+|embedding_renorm_|gcd|is(inf|nan|finite|real)|lcm|logical_\w+|reduce_loss'
not_differentiable+='|\w+_window|tanh_backward|tri[lu]_indices|_unique2|zero_'

tables=$(git ls-files 'tests/*_test.cpp' | xargs grep -l TAPEDECK_OP_TABLE)
names=$(
  git ls-files 'ops/*.h' 'nn/functional/*.h' |
    grep -vE '^ops/(kernels|internal)/|^ops/(comparison|creation|random|tensor_data)\.h$' |
    xargs grep -hoP '^(inline )?(Variable&?|Tensor|std::(tuple|vector)<(Variable|Tensor)\b.*?>) \K\w+(?=\()' |
    sort -u | grep -vxE "$not_differentiable"
)
count=0
missing=()
for name in $names; do
  count=$((count + 1))
  # shellcheck disable=SC2086
  grep -qw "$name" $tables || missing+=("$name")
done

if [ ${#missing[@]} -gt 0 ]; then
  echo "check-op-table.sh: no row in an op table for: ${missing[*]}"
  exit 1
fi
echo "check-op-table.sh: $count functions have their rows"
