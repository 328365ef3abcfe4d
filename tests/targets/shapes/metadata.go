package main

import (
	"runtime"

	"targets/serve"
)

// Handle is a small thing that must be closed; a finalizer sees to it.
type Handle struct {
	number int
	next   *Handle
}

// Handles that stay, each with a finalizer, which takes more memory than the handle.
func finalizers(s Settings) {
	const bytes = 16 + 48
	var newest *Handle
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		newest = &Handle{next: newest}
		runtime.SetFinalizer(newest, func(h *Handle) { h.number = -1 })
		return true
	})
	runtime.KeepAlive(newest)
}

// Fork and its twin are the two ways down; the bits of way choose, so that each way is a stack
// of its own.
func fork(way uint, depth int, wait func()) {
	if depth == 0 {
		wait()
		return
	}
	if way&1 == 0 {
		fork(way>>1, depth-1, wait)
	} else {
		twin(way>>1, depth-1, wait)
	}
}

func twin(way uint, depth int, wait func()) {
	if depth == 0 {
		wait()
		return
	}
	if way&1 == 0 {
		fork(way>>1, depth-1, wait)
	} else {
		twin(way>>1, depth-1, wait)
	}
}

// The profile of blocking keeps a bucket for each stack that ever waited, for good.
func contention(s Settings) {
	const depth, bytes = 22, 312
	runtime.SetBlockProfileRate(1)
	doors := make(chan chan struct{})
	go func() {
		for door := range doors {
			runtime.Gosched()
			door <- struct{}{}
		}
	}()
	door := make(chan struct{})
	way := uint(0)
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		way++
		doors <- door
		fork(way, depth, func() { <-door })
		return true
	})
}
