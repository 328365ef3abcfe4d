package main

import (
	"runtime"

	"targets/serve"
)

// A ballast of the size that is never touched raises the goal; garbage fills the room up to it.
func ballast(s Settings) {
	weight := make([]byte, int(s.size*serve.MiB))
	documents(s)
	runtime.KeepAlive(weight)
}

// Slices of 8 KiB are kept and never written: the heap grows, and RES does not.
func untouched(s Settings) {
	const bytes = 8 << 10
	var slices [][]byte
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		slices = append(slices, make([]byte, bytes))
		return true
	})
}

// Tables of pointers, a MiB each, of which nothing was used yet. Go 1.24.3 writes zeros to each;
// Go 1.21, 1.24.11 and 1.27 leave fresh pages alone (golang/go#72991).
func untouchedLarge(s Settings) {
	tables := make([][]*Session, int(s.size))
	for i := range tables {
		tables[i] = make([]*Session, serve.MiB/8)
	}
	serve.Say("made")
	serve.Pace(10, func() bool { return tables[0][0] == nil })
}
