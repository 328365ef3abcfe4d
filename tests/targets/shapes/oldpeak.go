package main

import (
	"runtime/debug"

	"targets/serve"
)

type leaf struct{ left, right *leaf }

func plant(depth int) *leaf {
	if depth == 0 {
		return &leaf{}
	}
	return &leaf{plant(depth - 1), plant(depth - 1)}
}

// The heap had its peak when a table was built of very small objects; all of it is free and
// returned. What the runtime made to manage the peak stays.
func oldPeak(s Settings) {
	requests.End()
	const depth, treeBytes = 15, 16 << 16
	forest := make([]*leaf, int(s.size*serve.MiB/treeBytes))
	for i := range forest {
		forest[i] = plant(depth)
	}
	serve.Say("peak")

	for i := range forest {
		forest[i] = nil
	}
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	serve.Say("returned")
}
