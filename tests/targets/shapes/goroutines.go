package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math"
	"time"

	"targets/serve"
)

// ask has no time to wait, and the goroutine that it asked can never send its answer.
func ask(number int) {
	result := make(chan [32]byte)
	go func() {
		line, _ := json.Marshal(map[string]int{"question": number})
		result <- sha256.Sum256(line)
	}()
	select {
	case <-result:
	default:
	}
}

func abandoned(s Settings) {
	const stack = 4 << 10
	number := 0
	serve.Pace(s.rate*serve.MiB/stack, func() bool { number++; ask(number); return true })
}

type tree struct{ left, right *tree }

// visit walks down a tree and reports its end to somebody who is not there any more.
func (t *tree) visit(depth int, found chan<- int) int {
	var path [24]int
	path[depth%len(path)] = depth
	if t.left == nil {
		found <- depth
		return path[0]
	}
	return t.left.visit(depth+1, found) + path[depth%len(path)]
}

func deep(s Settings) {
	const stack = 32 << 10
	root := &tree{}
	for i := 0; i < 80; i++ {
		root = &tree{left: root}
	}
	serve.Pace(s.rate*serve.MiB/stack, func() bool {
		go root.visit(0, make(chan int))
		return true
	})
}

// upload holds its body until the store takes it; the store has hung.
func upload(body []byte, store chan<- []byte) {
	store <- body
}

// Goroutines that wait, each with something in its hands that is larger than its stack.
func holders(s Settings) {
	const body, stack = 16 << 10, 2 << 10
	serve.Pace(s.rate*serve.MiB/(body+stack), func() bool {
		go upload(bytes.Repeat([]byte("u"), body), make(chan []byte))
		return true
	})
}

// Workers come and go with the tide: at most 2000, and none twice a period.
func goroutineTide(s Settings) {
	begin := time.Now()
	done := make(chan struct{})
	workers := 0
	serve.Pace(50, func() bool {
		phase := time.Since(begin).Seconds() / s.period.Seconds()
		want := int(2000 * math.Abs(math.Sin(math.Pi*phase)))
		for ; workers < want; workers++ {
			go func() { done <- struct{}{} }()
		}
		for ; workers > want; workers-- {
			<-done
		}
		return true
	})
}
