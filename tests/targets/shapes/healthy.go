package main

import (
	"container/list"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"targets/serve"
)

// document makes text of some KiB, and garbage on the way.
func document(number int) []byte {
	rows := make([]map[string]any, 20+number%60)
	for i := range rows {
		rows[i] = map[string]any{"id": number + i, "name": fmt.Sprint("row ", i), "ok": i%3 == 0}
	}
	text, _ := json.Marshal(rows)
	return text
}

const documentBytes = 64 << 10 // measured: what making one allocates

// Documents that live for the time of some others; the rate is that of the garbage.
func documents(s Settings) {
	var recent [256][]byte
	number := 0
	serve.Pace(s.rate*serve.MiB/documentBytes, func() bool {
		number++
		recent[number%len(recent)] = document(number)
		return true
	})
}

// A cache that fills to its bound in the period, and then serves from there.
func warmUp(s Settings) {
	sessions := fill(s.size, s.size/s.period.Seconds())
	number := 0
	serve.Pace(100, func() bool {
		number++
		user := fmt.Sprintf("user-%09d", number%len(sessions))
		return sessions[user] != nil
	})
}

// A report of the size each period.
func bursts(s Settings) {
	for {
		reports(s.size)
		serve.Say("reported")
		time.Sleep(s.period)
	}
}

// Documents whose text goes to buffers of a pool.
func pool(s Settings) {
	buffers := sync.Pool{New: func() any { return make([]byte, 0, 64<<10) }}
	number := 0
	serve.Pace(s.rate*serve.MiB/documentBytes, func() bool {
		number++
		buffer := append(buffers.Get().([]byte)[:0], document(number)...)
		buffers.Put(buffer[:0])
		return len(buffer) > 0
	})
}

// The sessions that were used last; the rate is that of new ones.
func lru(s Settings) {
	bound := int(s.size * serve.MiB / sessionBytes)
	order, places := list.New(), make(map[string]*list.Element)
	number := 0
	serve.Pace(s.rate*serve.MiB/sessionBytes, func() bool {
		number++
		session := newSession(number)
		places[session.User] = order.PushFront(session)
		if number == bound {
			serve.Say("full")
		}
		if order.Len() > bound {
			oldest := order.Remove(order.Back()).(*Session)
			delete(places, oldest.User)
		}
		return true
	})
}

// Nobody is here but a request a second, which asks the service for the list of its profiles.
func idle(s Settings) {
	requests.End()
	serve.Pace(1, func() bool {
		answer, err := http.Get("http://" + s.address + "/debug/pprof/cmdline")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
		return err == nil
	})
}

// A ring for the worst hour that was allocated at the start, and of which a page is used: the
// runtime counts all of it, and the kernel only what was touched.
func reserved(s Settings) {
	ring := make([][]byte, int(s.size*4))
	for i := range ring {
		ring[i] = make([]byte, serve.MiB/4)
	}
	serve.Say("reserved")
	serve.Pace(100, func() bool { ring[0][0]++; return true })
}

// As many sessions as people are awake: from none to the size and back in a period.
func wave(s Settings) {
	begin := time.Now()
	var sessions []*Session
	most := s.size * serve.MiB / sessionBytes
	number := 0
	serve.Pace(50, func() bool {
		phase := time.Since(begin).Seconds() / s.period.Seconds()
		want := int(most * (1 - math.Cos(2*math.Pi*phase)) / 2)
		for len(sessions) < want {
			number++
			sessions = append(sessions, newSession(number))
		}
		for last := len(sessions) - 1; last >= want; last-- {
			sessions[last] = nil
			sessions = sessions[:last]
		}
		return true
	})
}
