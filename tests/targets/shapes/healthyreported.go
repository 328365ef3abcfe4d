package main

import (
	"math"
	"runtime/debug"
	"time"

	"targets/serve"
)

// A cache whose entries live for the period: it grows so long and is level from then on.
func ttl(s Settings) {
	type entry struct {
		session *Session
		until   time.Time
	}
	var entries []entry
	full := false
	serve.Pace(s.rate*serve.MiB/sessionBytes, func() bool {
		now := time.Now()
		entries = append(entries, entry{newSession(len(entries)), now.Add(s.period)})
		for entries[0].until.Before(now) {
			entries = entries[1:]
			if !full {
				full = true
				serve.Say("full")
			}
		}
		return true
	})
}

// The load rises and falls in the period, and with it the goroutines that are at work, what they
// hold and the garbage. At the most they hold the size.
func tide(s Settings) {
	const held, garbage = 16 << 10, 4
	const each = 2 * time.Second
	begin := time.Now()
	most := s.size * serve.MiB / held / each.Seconds()
	owed := 0.0
	serve.Pace(50, func() bool {
		phase := time.Since(begin).Seconds() / s.period.Seconds()
		for owed += most / 50 * (1 - math.Cos(2*math.Pi*phase)) / 2; owed >= 1; owed-- {
			go func() {
				var body []byte
				for i := 0; i < garbage; i++ {
					body = append([]byte(nil), make([]byte, held)...)
				}
				time.Sleep(each)
				body[0] = 1
			}()
		}
		return true
	})
}

// A batch of the size runs each period; between two of them its memory is returned.
func batch(s Settings) {
	for {
		pages := make([][]byte, int(s.size))
		for i := range pages {
			pages[i] = make([]byte, serve.MiB)
			for at := 0; at < len(pages[i]); at += pageBytes {
				pages[i][at] = 1
			}
		}
		time.Sleep(3 * time.Second)
		pages = nil
		debug.FreeOSMemory()
		serve.Say("batch done")
		time.Sleep(s.period)
	}
}
