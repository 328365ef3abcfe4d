package serve

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
)

// Row is a record of a table that a service has in memory from its start to its end.
type Row struct {
	Name string
	Body string
	next *Row
}

// Traffic is what every service has: a table that stays, and the garbage of requests. Its buffers
// are larger than what the shapes allocate, so that it does not fill the holes that they leave.
type Traffic struct {
	quiet atomic.Bool
	table *Row
	open  [16]string
}

// Load makes a table of so many MiB.
func (t *Traffic) Load(mib float64) {
	for held := 0; float64(held) < mib*MiB; held += 1024 {
		row := &Row{Name: fmt.Sprint("row-", held), Body: strings.Repeat("b", 920)}
		row.next, t.table = t.table, row
	}
}

// Run answers requests, so many MiB of garbage a second.
func (t *Traffic) Run(mibPerSecond float64) {
	const bytes = 12 << 10
	number := 0
	Pace(mibPerSecond*MiB/bytes, func() bool {
		if !t.quiet.Load() {
			number++
			t.open[number%len(t.open)] = strings.Repeat("x", bytes)
		}
		return true
	})
}

// UntilCollected waits until a collection has run that began after the call: one that is under way
// does not find what was dropped while it ran, nor does it find the witness.
func (t *Traffic) UntilCollected() {
	found := make(chan struct{})
	runtime.SetFinalizer(&Row{}, func(*Row) { close(found) })
	<-found
}

// End stops the traffic: from now on nobody asks for anything.
func (t *Traffic) End() {
	t.quiet.Store(true)
	Say("silence")
}
