// Inside allocates, parks goroutines, writes what it knows of itself and stops, again and again.
//
//	inside [-goroutines N] [-blocks N] [-size BYTES] [-busy] DIRECTORY
//
// Each round it writes goroutine and heap profiles as text, then MemStats as bytes, then stops
// itself with SIGSTOP; SIGCONT starts the next round. With -busy it never stops or writes anything.
package main

import (
	"flag"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type node struct {
	next *node
	data []byte
}

var (
	goroutines = flag.Int("goroutines", 40, "that are parked, in four ways")
	blocks     = flag.Int("blocks", 400, "that are alive")
	size       = flag.Int("size", 20000, "largest block in bytes")
	isBusy     = flag.Bool("busy", false, "allocate all the time, never stop")

	kept   []*node
	never  = make(chan int)
	locked sync.Mutex
	group  sync.WaitGroup
)

func main() {
	flag.Parse()
	park()
	if *isBusy {
		for i := 0; i < 3; i++ {
			go func(seed int64) {
				mine := make([]*node, *blocks)
				random := rand.New(rand.NewSource(seed))
				for {
					mine[random.Intn(len(mine))] = allocate(random)
				}
			}(int64(i))
		}
		select {}
	}
	kept = make([]*node, *blocks)
	random := rand.New(rand.NewSource(1))
	stats := shared(filepath.Join(flag.Arg(0), "memstats"))
	for round := 0; ; round++ {
		for i := 0; i < 4**blocks; i++ {
			kept[random.Intn(len(kept))] = makers[i%len(makers)].make(random)
		}
		if round%2 == 0 {
			runtime.GC() // else it often stops in the middle of a cycle
		}
		percent := debug.SetGCPercent(-1) // one cycle for all that is compared
		write("heap.pb", "heap", 0)
		write("goroutine", "goroutine", 1)
		write("heap", "heap", 1)
		debug.SetGCPercent(percent)
		runtime.ReadMemStats(stats)
		// To the own thread: a signal to the process arrives some time later.
		syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()),
			uintptr(syscall.SIGSTOP))
	}
}

func allocate(random *rand.Rand) *node {
	return &node{data: make([]byte, 1+random.Intn(1+random.Intn(*size)))}
}

// Ways to come to an allocation: directly, through a generated method, a closure, inlined calls.
type maker interface{ make(*rand.Rand) *node }

type (
	direct  struct{}
	wrapped struct{ *direct }
	closure func(*rand.Rand) *node
	list    []*node
)

func (*direct) make(random *rand.Rand) *node   { return allocate(random) }
func (f closure) make(random *rand.Rand) *node { return f(random) }
func (l list) make(random *rand.Rand) *node    { return l.inlined(random) }
func (l list) inlined(random *rand.Rand) *node { return &node{data: grown(random.Intn(*size))} }
func grown(size int) []byte                    { return append(make([]byte, size), 1, 2, 3) }

var makers = []maker{
	&direct{},
	wrapped{&direct{}},
	closure(func(random *rand.Rand) *node { return allocate(random) }),
	list{},
}

func park() {
	locked.Lock()
	for i := 0; i < *goroutines; i++ {
		switch i % 4 {
		case 0:
			go func() { <-never }()
		case 1:
			go waitForLock()
		case 2:
			go func() {
				select {
				case <-never:
				case <-time.After(time.Hour):
				}
			}()
		case 3:
			go deep(i % 10)
		}
	}
	time.Sleep(20 * time.Millisecond)
}

func waitForLock() {
	locked.Lock()
	defer locked.Unlock()
}

func deep(n int) int {
	if n == 0 {
		time.Sleep(time.Hour)
		return 0
	}
	return deep(n-1) + 1
}

func write(to, name string, debug int) {
	file, err := os.Create(filepath.Join(flag.Arg(0), to))
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup(name).WriteTo(file, debug); err != nil {
		panic(err)
	}
	file.Close()
}

// shared returns MemStats that are the content of a file.
func shared(path string) *runtime.MemStats {
	var stats runtime.MemStats
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := file.Truncate(int64(unsafe.Sizeof(stats))); err != nil {
		panic(err)
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, int(unsafe.Sizeof(stats)),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*runtime.MemStats)(unsafe.Pointer(&data[0]))
}
