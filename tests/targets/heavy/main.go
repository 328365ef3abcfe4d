// Heavy is expensive to observe: many stacks in its heap profile, many goroutines, a large heap.
// It offers its pages by kind: heavy -stacks 100000 pprof+expvar=127.0.0.1:0.
package main

import (
	_ "expvar"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"strings"
	"time"
)

var (
	kept  [][]byte
	sink  []byte
	doors = map[string]string{
		"pprof": "/debug/pprof/", "expvar": "/debug/vars", "metrics": "/metrics",
	}
)

// Left and right are the two ways down. The bits of way choose, so each way is a stack of its own,
// and the heap profile keeps a bucket for each stack for good (runtime/mprof.go, stkbucket).
//
//go:noinline
func left(way uint, depth int) {
	if depth == 0 {
		sink = make([]byte, 64)
		return
	}
	if way&1 == 0 {
		left(way>>1, depth-1)
	} else {
		right(way>>1, depth-1)
	}
}

//go:noinline
func right(way uint, depth int) {
	if depth == 0 {
		sink = make([]byte, 64)
		return
	}
	if way&1 == 0 {
		left(way>>1, depth-1)
	} else {
		right(way>>1, depth-1)
	}
}

// allocate makes the stacks from first to last, each sampled.
func allocate(first, last uint, depth int) {
	usual := runtime.MemProfileRate
	runtime.MemProfileRate = 1
	for way := first; way < last; way++ {
		left(way, depth)
	}
	runtime.MemProfileRate = usual
	runtime.GC() // the profile shows what the second GC after an allocation has seen
	runtime.GC()
}

func hold(mib int) {
	for i := 0; i < mib; i++ {
		block := make([]byte, 1<<20)
		for page := 0; page < len(block); page += 4096 {
			block[page] = 1
		}
		kept = append(kept, block)
	}
}

func metrics(w http.ResponseWriter, r *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	for name, value := range map[string]uint64{
		"alloc": m.Alloc, "sys": m.Sys, "heap_alloc": m.HeapAlloc, "heap_sys": m.HeapSys,
		"heap_idle": m.HeapIdle, "heap_inuse": m.HeapInuse, "heap_released": m.HeapReleased,
		"stack_inuse": m.StackInuse, "stack_sys": m.StackSys, "mspan_inuse": m.MSpanInuse,
		"mspan_sys": m.MSpanSys, "mcache_inuse": m.MCacheInuse, "mcache_sys": m.MCacheSys,
		"buck_hash_sys": m.BuckHashSys, "gc_sys": m.GCSys, "other_sys": m.OtherSys,
		"next_gc": m.NextGC,
	} {
		fmt.Fprintf(w, "# TYPE go_memstats_%s_bytes gauge\ngo_memstats_%s_bytes %v\n", name, name, float64(value))
	}
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "go_gc_duration_seconds_count %d\n", m.NumGC)
}

// allocated is what the program has allocated since its start, to measure what a page costs.
func allocated(w http.ResponseWriter, r *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintln(w, m.TotalAlloc)
}

func serve(kinds, place string) {
	http.HandleFunc("/metrics", metrics)
	http.HandleFunc("/allocated", allocated)
	open := map[string]bool{"/allocated": true}
	for _, kind := range strings.Split(kinds, "+") {
		open[doors[kind]] = true
	}
	listener, err := net.Listen("tcp", place)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isPprof := strings.HasPrefix(r.URL.Path, "/debug/pprof/") && open["/debug/pprof/"]
		if !isPprof && !open[r.URL.Path] {
			http.NotFound(w, r)
			return
		}
		http.DefaultServeMux.ServeHTTP(w, r)
	})))
}

func main() {
	stacks := flag.Uint("stacks", 0, "distinct stacks in the heap profile")
	depth := flag.Int("depth", 24, "frames of each")
	goroutines := flag.Int("goroutines", 0, "goroutines that wait")
	heap := flag.Int("heap", 0, "MiB that stay alive")
	grow := flag.Float64("grow", 0, "new stacks a second, for ever")
	flag.Parse()
	hold(*heap)
	allocate(0, *stacks, *depth)
	for i := 0; i < *goroutines; i++ {
		go func() { select {} }()
	}
	kinds, place, _ := strings.Cut(flag.Arg(0), "=")
	go serve(kinds, place)
	for way := *stacks; *grow > 0; way++ {
		runtime.MemProfileRate = 1
		left(way, *depth)
		runtime.MemProfileRate = 512 << 10
		time.Sleep(time.Duration(float64(time.Second) / *grow))
	}
	select {}
}
