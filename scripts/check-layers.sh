#!/usr/bin/env bash
# Checks that includes point downward (docs/design.md, "Layers") and that the public headers bring
# no dependency's header into a user's file, and no header of the standard library that takes a
# compiler long.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

failures=0

# complain <message> <lines of grep>: counts and prints them
complain() {
  [ -n "$2" ] || return 0
  printf '%s\n%s\n' "$1" "$2" | sed '2,$s/^/  /'
  failures=$((failures + $(wc -l <<<"$2")))
}

sources_of() { # layer: its files, without those of a layer inside it
  if [ "$1" = ops ]; then
    git ls-files 'ops/*.h' 'ops/*.cpp' | grep -v '^ops/kernels/' || true
  else
    git ls-files "$1/*.h" "$1/*.cpp"
  fi
}

# layer <name> <layers it may include>...
layer() {
  local name=$1 files allowed
  shift
  files=$(sources_of "$name")
  [ -n "$files" ] || return 0
  allowed=$(printf '%s|' "$@")
  allowed=${allowed%|}
  allowed=$(sed -E 's/(^|\|)ops(\||$)/\1ops(?!\/kernels\/)\2/' <<<"$allowed")
  complain "$name/ may include ${*} only:" "$(
    # shellcheck disable=SC2086
    grep -nHE '#include *[<"]tapedeck/' $files | grep -vP "#include *<tapedeck/($allowed)/" |
      case $name in
        # The tape computes on values where nothing is recorded.
        autograd) grep -vE '^autograd/[^/]*\.cpp:.*<tapedeck/ops/kernels/' ;;
        *) cat ;;
      esac
  )"
}

layer array array
layer ops/kernels array ops/kernels
layer autograd array autograd
layer ops array ops/kernels autograd ops
layer serialize array ops/kernels autograd serialize
layer nn array autograd ops serialize nn
layer optim array autograd ops ops/kernels serialize optim
layer data array autograd ops ops/kernels serialize nn optim data io
layer io array autograd ops ops/kernels serialize io

public=$(git ls-files 'array/*.h' 'autograd/*.h' 'ops/*.h' 'nn/*.h' 'optim/*.h' 'data/*.h' 'io/*.h' \
  'serialize/*.h' tapedeck.h 'compat/*.h' | grep -vE '^ops/kernels/|/internal/')
complain "public headers include the standard library and public headers only:" "$(
  # shellcheck disable=SC2086
  grep -nHE '#include *[<"]((xtensor|xtl|xsimd|hwy)[/.a-z]|cblas|lapack|png|zlib|nlohmann|openblas|omp\.h|tapedeck/ops/kernels/|tapedeck/[a-z]*/internal/)' \
    $public || true
)"
# Those that programs for libtorch get with <torch/torch.h> are for compat/ only.
slow='chrono|condition_variable|execution|filesystem|format|fstream|future|locale|random|ranges|regex|semaphore|shared_mutex|stop_token|thread|valarray'
slow_but_usual='algorithm|cmath|iomanip|iostream|istream|list|map|numeric|queue|set|sstream|unordered_set'
complain "these standard headers are for .cpp files:" "$(
  # shellcheck disable=SC2086
  grep -nHE "#include <($slow|$slow_but_usual)>" $public |
    grep -vP "^compat/.*<(?!($slow)>)" || true
)"
complain "includes of the project are spelled <tapedeck/...>:" "$(
  git grep -nE '#include *"' -- 'array/*' 'autograd/*' 'ops/*' 'nn/*' 'optim/*' 'data/*' 'io/*' \
    'serialize/*' 'compat/*' 'tapedeck.h' 'xtensor.h' |
    grep -vE '#include "(hwy/|tapedeck/ops/kernels/)' || true
)"
complain "left-over markers:" "$(
  git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.cpp' '*.h' 'CMakeLists.txt' '*.cmake' '.ci/*' || true
)"

if [ "$failures" -gt 0 ]; then
  echo "check-layers.sh: $failures lines to change"
  exit 1
fi
echo "check-layers.sh: includes point downward, public headers are clean"
