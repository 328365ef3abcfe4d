package main

import (
	"runtime/debug"
	"sync"
	"syscall"

	"targets/serve"
)

func mustPipe() (read, write int) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	return ends[0], ends[1]
}

// Each goroutine sits in a system call for ever, and has a thread of its own there. The rate is
// threads a second.
func blockedSyscalls(s Settings) {
	debug.SetMaxThreads(40000)
	read, _ := mustPipe()
	serve.Pace(s.rate, func() bool {
		go syscall.Read(read, make([]byte, 1))
		return true
	})
}

// Each second more goroutines than ever sit in a system call, and all of them come back: no
// goroutine stays, and no thread ends (golang/go#14592). The rate is threads a second.
func idleThreads(s Settings) {
	debug.SetMaxThreads(40000)
	crowd := 0.0
	serve.Pace(1, func() bool {
		crowd += s.rate
		read, write := mustPipe()
		var all sync.WaitGroup
		for i := 0; i < int(crowd); i++ {
			all.Add(1)
			go func() { defer all.Done(); syscall.Read(read, make([]byte, 1)) }()
		}
		syscall.Nanosleep(&syscall.Timespec{Nsec: 200e6}, nil)
		syscall.Close(write)
		all.Wait()
		syscall.Close(read)
		return true
	})
}
