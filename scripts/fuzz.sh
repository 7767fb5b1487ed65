#!/bin/sh
# Runs every fuzz target of the module for the time given, one after another; new failures stay in testdata/fuzz.
set -eu
time=${1:-30s}
for file in $(git ls-files '*_test.go' | xargs grep -l '^func Fuzz' | sort); do
  dir=./$(dirname "$file")
  for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
    echo "fuzz: $dir $target" >&2
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x -parallel 2 "$dir" >"${TMPDIR:-/tmp}/fuzz.$$" 2>&1 || {
      cat "${TMPDIR:-/tmp}/fuzz.$$"; rm -f "${TMPDIR:-/tmp}/fuzz.$$"; exit 1; }
  done
done
rm -f "${TMPDIR:-/tmp}/fuzz.$$"
