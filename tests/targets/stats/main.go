// Stats collects its garbage as often as told, and offers its MemStats in each way there is: on
// /debug/vars, as a heap profile, as a page for Prometheus, and as the agent of gops does.
package main

import (
	"expvar"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

var kept [][]byte

func metrics(w http.ResponseWriter, r *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "# HELP go_goroutines Number of goroutines that currently exist.\n")
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "go_gc_duration_seconds{quantile=\"0\"} 2.2e-05\ngo_gc_duration_seconds_count %d\n", m.NumGC)
	for name, value := range map[string]uint64{
		"heap_alloc": m.HeapAlloc, "heap_sys": m.HeapSys, "heap_idle": m.HeapIdle,
		"heap_inuse": m.HeapInuse, "heap_released": m.HeapReleased, "stack_inuse": m.StackInuse,
		"stack_sys": m.StackSys, "mspan_inuse": m.MSpanInuse, "mspan_sys": m.MSpanSys,
		"mcache_inuse": m.MCacheInuse, "mcache_sys": m.MCacheSys, "buck_hash_sys": m.BuckHashSys,
		"gc_sys": m.GCSys, "other_sys": m.OtherSys, "sys": m.Sys, "next_gc": m.NextGC,
	} {
		fmt.Fprintf(w, "# TYPE go_memstats_%s_bytes gauge\ngo_memstats_%s_bytes %v\n", name, name, float64(value))
	}
	fmt.Fprintf(w, "orders_total{path=\"/a b\"} 17\n")
}

// agent answers one byte a connection, in the words of gops.
func agent(listener net.Listener) {
	folder := os.Getenv("GOPS_CONFIG_DIR")
	port := listener.Addr().(*net.TCPAddr).Port
	name := filepath.Join(folder, strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(name, []byte(strconv.Itoa(port)), 0o644); err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			continue
		}
		request := make([]byte, 1)
		if conn.Read(request); request[0] == 3 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			for _, line := range []struct {
				name  string
				value uint64
			}{
				{"heap-alloc", m.HeapAlloc}, {"heap-sys", m.HeapSys}, {"heap-idle", m.HeapIdle},
				{"heap-in-use", m.HeapInuse}, {"heap-released", m.HeapReleased}, {"sys", m.Sys},
			} {
				fmt.Fprintf(conn, "%s: %.2fMB (%d bytes)\n", line.name, float64(line.value)/1e6, line.value)
			}
			fmt.Fprintf(conn, "num-gc: %d\ndebug-gc: false\n", m.NumGC)
		}
		conn.Close()
	}
}

func serve(kinds string, listener net.Listener) {
	mux := http.NewServeMux()
	for _, kind := range strings.Split(kinds, "+") {
		switch kind {
		case "expvar":
			mux.Handle("/debug/vars", expvar.Handler())
		case "pprof":
			mux.HandleFunc("/debug/pprof/", pprof.Index)
		case "metrics":
			mux.HandleFunc("/metrics", metrics)
		case "page":
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "<html>hello</html>") })
		case "gops":
			agent(listener)
		default:
			log.Fatal("no such kind: ", kind)
		}
	}
	log.Fatal(http.Serve(listener, mux))
}

func collect(cycles int, every time.Duration) {
	for i := 0; i < cycles; i++ {
		runtime.GC()
		time.Sleep(every)
	}
	fmt.Println("collected")
}

// Arguments are kind+kind=place: expvar+pprof=127.0.0.1:0.
func main() {
	cycles := flag.Int("cycles", 0, "collections to force")
	every := flag.Duration("every", 0, "pause between them")
	keep := flag.Int("keep", 0, "megabytes to hold")
	shortArgs := flag.Bool("short-args", false, "forget the arguments, as some programs do")
	flag.Parse()
	debug.SetGCPercent(400)
	for i := 0; i < *keep; i++ {
		page := make([]byte, 1<<20)
		for j := range page {
			page[j] = byte(j)
		}
		kept = append(kept, page)
	}
	for _, argument := range flag.Args() {
		kinds, place, _ := strings.Cut(argument, "=")
		listener, err := net.Listen("tcp", place)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(kinds, "listening on", listener.Addr())
		go serve(kinds, listener)
	}
	if *shortArgs {
		os.Args = os.Args[:1]
	}
	collect(*cycles, *every)
	select {}
}
