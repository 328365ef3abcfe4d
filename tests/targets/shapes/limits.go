package main

import (
	"runtime/debug"

	"targets/serve"
)

// The memory limit is a little above what lives: collections run one after another. The size is
// the limit in MiB, the rate that of the garbage.
func gcThrash(s Settings) {
	debug.SetMemoryLimit(int64(s.size * serve.MiB))
	serve.Say("limited")
	documents(s)
}

// GOGC is off and the limit is the size, both set in code: no environment shows them, and the
// goal is not a multiple of the live heap.
func limitInCode(s Settings) {
	debug.SetGCPercent(-1)
	gcThrash(s)
}
