// Crowded is a process with as many threads, mappings and megabytes as it is told to have: what
// makes /proc slow to read, and nothing else.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
)

// startThreads starts goroutines that keep a thread each, and waits until they have it.
func startThreads(count int) {
	debug.SetMaxThreads(count + 1000)
	var started sync.WaitGroup
	for i := 0; i < count; i++ {
		started.Add(1)
		go func() {
			runtime.LockOSThread()
			started.Done()
			select {}
		}()
	}
	started.Wait()
}

// makeMappings makes mappings of one page each: neighbours of different protection stay apart.
func makeMappings(count int) error {
	page := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, count*page, syscall.PROT_READ,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	for i := 0; i < count; i += 2 {
		err := syscall.Mprotect(memory[i*page:(i+1)*page], syscall.PROT_READ|syscall.PROT_WRITE)
		if err != nil {
			return fmt.Errorf("after %d mappings: %w", i, err)
		}
	}
	return nil
}

// memory is what makes the process large.
var memory []byte

// fill makes memory resident.
func fill(megabytes int) {
	memory = make([]byte, megabytes<<20)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
}

func main() {
	threads := flag.Int("threads", 0, "threads that do nothing")
	mappings := flag.Int("mappings", 0, "mappings of a page each")
	megabytes := flag.Int("megabytes", 0, "resident memory")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go http.Serve(listener, nil)
	fill(*megabytes)
	startThreads(*threads)
	if err := makeMappings(*mappings); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	fmt.Println("listening on", listener.Addr())
	select {}
}
