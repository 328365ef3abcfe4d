package main

import (
	"time"

	"targets/serve"
)

// answerOrTimeout waits for an answer, ten minutes at most.
func answerOrTimeout(answers <-chan int) bool {
	select {
	case <-answers:
		return true
	case <-time.After(10 * time.Minute):
		return false
	}
}

// Up to Go 1.22 each timer of time.After stays until it fires (golang/go#15781). Since Go 1.23 a
// timer that nothing refers to is collected, unless GODEBUG=asynctimerchan=1.
func timeAfter(s Settings) {
	const bytes = 208
	answers := make(chan int, 1)
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		answers <- 1
		return answerOrTimeout(answers)
	})
}
