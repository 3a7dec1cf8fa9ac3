#!/bin/bash
# rounds.sh [ROUNDS] [OUT]: the decision benchmarks on a noisy machine. Engines take
# turns, one process each, so that slow phases of the machine hit all of them; read
# the result with `benchstat OUT` or `go run ./cmd/medians OUT`.
set -e
cd "$(dirname "$0")"
n=${1:-7} out=${2:-decide-rounds.txt} core=${CORE:-1} t=${T:-300ms}
engines=${ENGINES:-casbin-v2 casbin-v3 cedar-go naive opa-compiled opa-data opa-partial warifu}
bin=$(mktemp); go test -c -o "$bin" ./bench
: > "$out"
for r in $(seq "$n"); do
	for s in small realistic huge many; do
		for e in $engines; do
			taskset -c "$core" "$bin" -test.run XXX -test.bench "^BenchmarkDecide\$/^$s\$/^$e\$" -test.cpu 1 -test.benchtime "$t" | grep -E '^(goos|goarch|pkg|cpu|Benchmark)' >> "$out" || true
		done
	done
done
rm "$bin"
