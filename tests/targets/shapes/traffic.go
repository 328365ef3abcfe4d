package main

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"targets/serve"
)

// Row is a record of a table that the service has in memory from its start to its end.
type Row struct {
	Name string
	Body []byte
	next *Row
}

var table *Row

func keepAlive(mib float64) {
	for held := 0; float64(held) < mib*serve.MiB; held += 1024 {
		table = &Row{Name: fmt.Sprint("row-", held), Body: []byte(strings.Repeat("b", 920)), next: table}
	}
}

// Traffic is the garbage of the requests that the service answers. Its buffers are larger than
// what the shapes allocate, so that it does not fill the holes that a shape leaves.
type traffic struct {
	quiet atomic.Bool
	open  [16][]byte
}

var requests traffic

func (t *traffic) run(mibPerSecond float64) {
	const bytes = 12 << 10
	number := 0
	serve.Pace(mibPerSecond*serve.MiB/bytes, func() bool {
		if !t.quiet.Load() {
			number++
			t.open[number%len(t.open)] = []byte(strings.Repeat("x", bytes-1))
		}
		return true
	})
}

// untilCollected lets the traffic go on until the collector has run so many times.
func (t *traffic) untilCollected(times int64) {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	for last := stats.NumGC + times; stats.NumGC < last; debug.ReadGCStats(&stats) {
		time.Sleep(5 * time.Millisecond)
	}
}

// end stops the traffic: from now on nobody asks for anything.
func (t *traffic) end() {
	t.quiet.Store(true)
	serve.Say("silence")
}
