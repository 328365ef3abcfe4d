// Writes every kind of profile of itself: with recursion, inlining, generics, closures, contention.
package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

type number interface{ ~int | ~float64 }

// Set is a generic type with a method.
type Set[T number] struct{ items [][]byte }

var kept []any

func main() {
	runtime.MemProfileRate = 512
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	folder := os.Args[1]
	cpu := create(folder, "cpu.pb.gz")
	check(pprof.StartCPUProfile(cpu))
	ends := time.Now().Add(300 * time.Millisecond)
	for time.Now().Before(ends) {
		burn(18)
		Map(make([]float64, 64), func(x float64) float64 { return x * 2 })
	}
	pprof.StopCPUProfile()
	check(cpu.Close())
	allocate()
	contend()
	runtime.GC()
	for _, name := range []string{"heap", "allocs", "goroutine", "threadcreate", "block", "mutex"} {
		write(folder, name, ".pb.gz", 0)
	}
	write(folder, "heap", ".txt", 1)
	for _, name := range []string{"goroutine", "block", "mutex"} {
		write(folder, name, ".txt", 1)
	}
}

func create(folder, name string) *os.File {
	file, err := os.Create(filepath.Join(folder, name))
	check(err)
	return file
}

func write(folder, name, ending string, debug int) {
	file := create(folder, name+ending)
	check(pprof.Lookup(name).WriteTo(file, debug))
	check(file.Close())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// burn recurses, so that it is many times on one stack.
func burn(n int) int {
	if n < 2 {
		return n
	}
	return burn(n-1) + burn(n-2)
}

// Map is a generic function that allocates.
func Map[T number](in []T, do func(T) T) []T {
	out := make([]T, 0, len(in))
	for _, each := range in {
		out = append(out, do(each))
	}
	return out
}

// Add is a generic method.
func (s *Set[T]) Add(size int) { s.items = append(s.items, fill(size)) }

func fill(size int) []byte { return make([]byte, size) } // small enough to be inlined

//go:noinline
func nested(depth, size int) {
	if depth == 0 {
		kept = append(kept, fill(size))
		return
	}
	nested(depth-1, size)
}

func allocate() {
	set := &Set[int]{}
	for i := 0; i < 300; i++ {
		set.Add(64 + i%7*512)
		kept = append(kept, Map(make([]int, i), func(x int) int { return x + i }))
		nested(i%9, 1<<(i%13))
		func() { kept = append(kept, fill(3000), func() int { return i }) }()
	}
	kept = append(kept, set)
	for i := 0; i < 200; i++ {
		_ = append([]byte(nil), fill(40_000)...) // garbage
	}
}

func contend() {
	var lock sync.Mutex
	var all sync.WaitGroup
	gate := make(chan int)
	for i := 0; i < 6; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < 20; i++ {
				lock.Lock()
				time.Sleep(100 * time.Microsecond)
				lock.Unlock()
			}
		}()
		go func() { <-gate }()
	}
	for i := 0; i < 3; i++ {
		go wait(4, gate)
	}
	all.Wait()
}

func wait(depth int, gate chan int) {
	if depth > 0 {
		wait(depth-1, gate)
	}
	<-gate
}
