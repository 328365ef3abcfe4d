// Package serve is what the programs with a known cause have in common: a server of profiles and
// counters, work at an even pace, and words on standard output about what happens now.
package serve

import (
	"expvar"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// MiB is the unit of all sizes and rates on the command line.
const MiB = 1 << 20

var started = time.Now()

// Listen opens the server of /debug/pprof and /debug/vars and says where it is. The counters have
// two more than MemStats: the heap that the last collection found alive, and the goroutines.
func Listen(address string) net.Addr {
	http.HandleFunc("/debug/free", free)
	expvar.Publish("heap_live", expvar.Func(heapLive))
	expvar.Publish("goroutines", expvar.Func(func() any { return runtime.NumGoroutine() }))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	fmt.Println("listening on", listener.Addr())
	return listener.Addr()
}

// free returns to the system what the heap does not use, as a service does that lets operators ask
// for it.
func free(w http.ResponseWriter, r *http.Request) {
	debug.FreeOSMemory()
	w.WriteHeader(http.StatusNoContent)
}

func heapLive() any {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 { // Go 1.20 and older do not have it
		return 0
	}
	return sample[0].Value.Uint64()
}

// Say writes what happens now, after the seconds since the start, to standard output.
func Say(what string) {
	fmt.Printf("phase %.1f %s\n", time.Since(started).Seconds(), what)
}

// Pace does the work so many times a second for as long as it returns true. What was missed while
// the machine was busy is made up for.
func Pace(perSecond float64, work func() bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last, owed := time.Now(), 0.0
	for now := range tick.C {
		owed += now.Sub(last).Seconds() * perSecond
		last = now
		for ; owed >= 1; owed-- {
			if !work() {
				return
			}
		}
	}
}
