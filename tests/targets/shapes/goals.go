package main

import (
	"runtime/debug"

	"targets/serve"
)

// Somebody turns GOGC up while the service runs, a little each second; the rate says how much
// the goal grows. It stops at 800.
func percent(s Settings) {
	now := 50.0
	step := s.rate / s.live * 100
	serve.Pace(1, func() bool {
		now += step
		debug.SetGCPercent(int(now))
		return now < 800
	})
}

// GOGC is off and the limit goes up, by the rate; it stops at 256 MiB more.
func limit(s Settings) {
	now := s.live + 24
	last := now + 256
	debug.SetMemoryLimit(int64(now * serve.MiB))
	debug.SetGCPercent(-1)
	serve.Pace(1, func() bool {
		now += s.rate
		debug.SetMemoryLimit(int64(now * serve.MiB))
		return now < last
	})
}
