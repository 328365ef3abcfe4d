package main

import (
	"net"
	"net/http"

	"targets/serve"
)

// Each answer is read to its status only, and its body is not closed: the connection stays, with
// two goroutines of the client and, as the server is in the same process, one of the server.
func bodies(s Settings) {
	const bytes = 60 << 10 // measured, of both ends of a connection
	page := make([]byte, 1<<20)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(page)
	}))
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		answer, err := http.Get("http://" + listener.Addr().String())
		return err == nil && answer.StatusCode == http.StatusOK
	})
}
