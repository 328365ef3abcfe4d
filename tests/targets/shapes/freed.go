package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"targets/serve"
)

// fill puts sessions into a map until it has the size, at the rate.
func fill(size, rate float64) map[string]*Session {
	sessions := make(map[string]*Session)
	last := int(size * serve.MiB / sessionBytes)
	serve.Pace(rate*serve.MiB/sessionBytes, func() bool {
		session := newSession(len(sessions))
		sessions[session.User] = session
		return len(sessions) < last
	})
	serve.Say("filled")
	return sessions
}

var online map[string]*Session

// A map grows and is emptied; the traffic ends with the next collection.
func emptied(s Settings) {
	emptiedBusy(s)
	requests.UntilCollected()
	requests.End()
}

// A map grows and is emptied; the traffic goes on.
func emptiedBusy(s Settings) {
	online = fill(s.size, s.rate)
	for user := range online {
		delete(online, user)
	}
	serve.Say("emptied")
}

// report makes a tree of what a report of so many MiB is made of.
func report(mib float64) map[string][]any {
	chapters := make(map[string][]any)
	for i := 0; i < int(mib*serve.MiB/300); i++ {
		chapter := fmt.Sprint("chapter-", i%100)
		chapters[chapter] = append(chapters[chapter], map[string]any{"line": i})
	}
	return chapters
}

// reports makes eight of them at once.
func reports(mib float64) {
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			made := report(mib / 8)
			all.Add(1)
			go func() { defer all.Done(); runtime.KeepAlive(made) }()
		}()
	}
	all.Wait()
}

// Reports for everybody, once; the traffic ends with the next collection.
func burst(s Settings) {
	reports(s.size)
	serve.Say("reported")
	requests.UntilCollected()
	requests.End()
}

// Many requests at once take a buffer each from the pool and give it back. The pool lets go of
// them in the second collection after that, and there the traffic ends.
func poolBurst(s Settings) {
	var buffers sync.Pool
	taken := make(chan []byte, int(s.size))
	for i := 0; i < cap(taken); i++ {
		buffer, _ := buffers.Get().([]byte)
		if buffer == nil {
			buffer = make([]byte, serve.MiB)
		}
		for page := 0; page < len(buffer); page += 4096 {
			buffer[page] = 1
		}
		taken <- buffer
	}
	for len(taken) > 0 {
		buffers.Put(<-taken)
	}
	serve.Say("given back")
	requests.UntilCollected()
	requests.UntilCollected()
	requests.End()
	runtime.KeepAlive(&buffers)
}

// Garbage that stays below a far goal, and then silence: the collector has no reason to run.
func dead(s Settings) {
	debug.SetGCPercent(int(150 * s.size / s.live))
	runtime.GC()
	requests.End()
	left := int(s.size * serve.MiB / sessionBytes)
	var last *Session
	serve.Pace(s.rate*serve.MiB/sessionBytes, func() bool {
		left--
		last = newSession(left)
		return left > 0
	})
	runtime.KeepAlive(last)
}

var survivors [][]byte

// Imports of rows, each with rows a size larger; a row of each span survives its import. size is
// the MiB of an import.
func fragments(s Settings) {
	const span = 8192
	for bytes := 32; bytes <= 640; bytes += 16 {
		var rows [][]byte
		wanted := int(s.size * serve.MiB / float64(bytes))
		serve.Pace(s.rate*serve.MiB/float64(bytes), func() bool {
			rows = append(rows, []byte(strings.Repeat("f", bytes)))
			return len(rows) < wanted
		})
		for i := 0; i < len(rows); i += span / bytes {
			survivors = append(survivors, rows[i])
		}
	}
}
