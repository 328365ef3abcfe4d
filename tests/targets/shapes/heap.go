package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"targets/serve"
)

// Session is what a cache keeps of somebody who was here.
type Session struct {
	User   string
	Token  []byte
	Basket map[string]int
}

func newSession(number int) *Session {
	return &Session{
		User:   fmt.Sprintf("user-%09d", number),
		Token:  bytes.Repeat([]byte("t"), 300+number%7*100),
		Basket: map[string]int{"apples": number, "pears": number % 5},
	}
}

const sessionBytes = 1100 // measured, with its place in the map

// The sessions of a cache that never evicts.
func cache(s Settings) {
	sessions := make(map[string]*Session)
	serve.Pace(s.rate*serve.MiB/sessionBytes, func() bool {
		session := newSession(len(sessions))
		sessions[session.User] = session
		return true
	})
}

// Each request sets a timer for the case that its answer never comes, and nobody stops it.
func timers(s Settings) {
	number := 0
	serve.Pace(s.rate*serve.MiB/2048, func() bool {
		number++
		request := bytes.Repeat([]byte("r"), 1500+number%3*256)
		time.AfterFunc(24*time.Hour, func() { fmt.Println("no answer to", len(request)) })
		return true
	})
}

type requestKey struct{}

// Call is a request on its way, with the means to end it.
type Call struct {
	ctx  context.Context
	stop context.CancelFunc
}

func beginCall(server context.Context, number int) Call {
	request := newSession(number)
	ctx, stop := context.WithCancel(context.WithValue(server, requestKey{}, request))
	return Call{ctx, stop}
}

// The context of each request is a child of the server's, which holds it until it is cancelled.
func contexts(s Settings) {
	server, stop := context.WithCancel(context.Background())
	defer stop()
	number := 0
	serve.Pace(s.rate*serve.MiB/(sessionBytes+200), func() bool {
		number++
		call := beginCall(server, number)
		return call.ctx.Err() == nil
	})
}

var answer bytes.Buffer

// One answer is huge, and the buffer that it was written to is kept for the next ones.
func buffer(s Settings) {
	lines := int(s.size * serve.MiB / 64)
	write := func(count int) {
		answer.Reset()
		encoder := json.NewEncoder(&answer)
		for i := 0; i < count; i++ {
			encoder.Encode([]string{"line", fmt.Sprintf("%044d", i)})
		}
	}
	write(lines)
	serve.Say("written")
	serve.Pace(10, func() bool { write(20); return true })
}
