package main

import (
	"runtime/debug"
	"sync"
	"time"

	"targets/serve"
)

// Many goroutines live for ten seconds and end; the size is that of their stacks. The runtime
// keeps the g structure of each for goroutines to come.
func died(s Settings) {
	const stack = 2 << 10
	var all sync.WaitGroup
	end := make(chan struct{})
	for i := 0; i < int(s.size*serve.MiB/stack); i++ {
		all.Add(1)
		go func() { defer all.Done(); <-end }()
	}
	serve.Say("peak")
	time.Sleep(10 * time.Second)
	close(end)
	all.Wait()
	serve.Say("died")
	time.Sleep(10 * time.Second)
	debug.FreeOSMemory()
	serve.Say("returned")
}
