package main

import (
	"runtime"

	"targets/serve"
)

var parsed [][]byte

// A parser that recurses allocates at ever new stacks, and the heap profile keeps a bucket for
// each for good (golang/go#69590). The rate is that of the buckets; the profile samples more often
// than by default, as an hour must fit into a minute.
func manyStacks(s Settings) {
	const depth, bytes = 100, 1000
	runtime.MemProfileRate = 2048
	parsed = make([][]byte, 256)
	way := uint(0)
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		way++
		number := way
		// The bits of way choose the upper part of the stack; below it all are alike.
		fork(way*0x9e3779b97f4a7c15, depth, func() {
			parsed[number%256] = make([]byte, 8<<10)
		})
		return true
	})
}
