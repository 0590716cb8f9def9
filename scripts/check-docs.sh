#!/usr/bin/env bash
# Checks that the documentation quotes code that exists, and that its links lead somewhere. A code
# block below a line `<!-- from path -->` must stand in that file word for word.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

failures=0
complain() {
  echo "check-docs.sh: $*"
  failures=$((failures + 1))
}

check_quotes() { # file
  local line source_file="" block="" inside=no
  while IFS= read -r line; do
    if [[ $line =~ ^\<!--\ from\ ([^ ]+)\ --\>$ ]]; then
      source_file=${BASH_REMATCH[1]}
    elif [[ $line == '```'* && -n $source_file && $inside = no ]]; then
      inside=yes block=""
    elif [[ $line == '```' && $inside = yes ]]; then
      if [ ! -f "$source_file" ]; then
        complain "$1 quotes $source_file, which does not exist"
      elif [[ $(<"$source_file") != *"${block%$'\n'}"* ]]; then
        complain "$1 quotes $source_file, where this does not stand:" $'\n'"$block"
      fi
      source_file="" inside=no
    elif [ $inside = yes ]; then
      block+=$line$'\n'
    fi
  done <"$1"
}

check_links() { # file
  local target
  while IFS= read -r target; do
    target=${target%%#*}
    if [ -n "$target" ] && [ ! -e "$(dirname "$1")/$target" ]; then
      complain "$1 links to $target, which does not exist"
    fi
  done < <(awk '/^```/ {code = !code; next} !code' "$1" | grep -oE '\]\([^):]+\)' | sed -E 's/^\]\((.*)\)$/\1/')
}

for file in $(git ls-files '*.md'); do
  check_quotes "$file"
  check_links "$file"
done
[ "$failures" -eq 0 ] || exit 1
echo "check-docs.sh: quotes and links are right"
