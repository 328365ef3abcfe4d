package main

import (
	"runtime"

	"targets/serve"
)

var kept []*Session

// job makes sessions of the size in MiB and keeps the first of them.
func job(size, keep float64) {
	made := make([]*Session, int(size*serve.MiB/sessionBytes))
	for i := range made {
		made[i] = newSession(i)
	}
	kept = append(kept, made[:int(keep*serve.MiB/sessionBytes)]...)
}

// One job is done, and then nothing happens. What it dropped waits for a collection that nothing
// starts: the last one found most of it alive.
func idleBurst(s Settings) {
	requests.End()
	job(s.size, s.keep)
	serve.Say("dropped")
}

// The same, with a collection after the job and a little work after the collection: a part of RES
// is free, a part is garbage that is new, and the last collection knows what lives.
func idleGarbage(s Settings) {
	requests.End()
	job(s.size, s.keep)
	runtime.GC()
	job(s.size*0.3, 0)
	serve.Say("dropped")
}
