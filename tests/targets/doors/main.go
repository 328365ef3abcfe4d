// Doors opens one listener for each of its arguments, and behind each something else answers:
// what a service may have where somebody looks for its profiles.
package main

import (
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"strings"
	"time"
)

var answers = map[string]http.HandlerFunc{
	"pprof":    pprof.Index,
	"tls":      pprof.Index,
	"mtls":     pprof.Index,
	"missing":  http.NotFound,
	"page":     func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>hello</html>") },
	"empty":    func(w http.ResponseWriter, r *http.Request) {},
	"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login?token=secret", 302) },
	"broken":   func(w http.ResponseWriter, r *http.Request) { http.Error(w, "out of\nservice", 503) },
	"locked":   locked,
	"token":    token,
	"drip":     drip,
	"endless":  endless,
	"announce": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Length", "9000000000") },
	"bomb":     bomb,
	"cut":      cut,
	"slow":     slow,
}

// What servers of other protocols say to a GET; the mute one says nothing and waits.
var foreign = map[string]string{
	"mute":    "",
	"garbage": "-ERR unknown command 'GET'\r\n-ERR unknown command 'Host:'\r\n\r\n",
	"banner":  "220 mail.example.org ESMTP\r\n",
}

func locked(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := r.BasicAuth(); user != "ops" || password != "s3cret" {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	pprof.Index(w, r)
}

func token(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer t0ken-of-ops" {
		http.Error(w, "no valid token: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
		return
	}
	pprof.Index(w, r)
}

func drip(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		time.Sleep(time.Second)
	}
}

func slow(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/debug/pprof/" {
		pprof.Index(w, r)
		return
	}
	drip(w, r)
}

func endless(w http.ResponseWriter, r *http.Request) {
	page := make([]byte, 1<<16)
	for {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}

func bomb(w http.ResponseWriter, r *http.Request) {
	packed := gzip.NewWriter(w)
	page := make([]byte, 1<<20)
	for i := 0; i < 64; i++ {
		packed.Write(page)
	}
	packed.Close()
}

func cut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, "not that much")
}

// Unasked is a server that speaks first, or that closes what it does not understand; each says how
// much it was sent.
func unasked(kind string, conn net.Conn) {
	if kind == "greeter" {
		io.WriteString(conn, "INFO {\"server\":\"greeter\"}\r\n")
	}
	sent, _ := conn.Read(make([]byte, 1<<16))
	fmt.Println(kind, "was sent", sent, "bytes")
	conn.Close()
}

func listen(place string) net.Listener {
	network := "tcp"
	if strings.HasPrefix(place, "/") || strings.HasPrefix(place, "@") {
		network = "unix"
	}
	listener, err := net.Listen(network, place)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func serve(kind string, listener net.Listener) {
	if kind == "greeter" || kind == "hangup" {
		for {
			if conn, err := listener.Accept(); err == nil {
				go unasked(kind, conn)
			}
		}
	}
	if words, ok := foreign[kind]; ok {
		for {
			conn, err := listener.Accept()
			if err == nil && words != "" {
				conn.Read(make([]byte, 1<<16))
				io.WriteString(conn, words)
				conn.Close()
			}
		}
	}
	server := httptest.NewUnstartedServer(answers[kind])
	server.Listener.Close()
	server.Listener = listener
	switch kind {
	case "mtls":
		server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		server.StartTLS()
	case "tls", "token":
		server.StartTLS()
	default:
		server.Start()
	}
	select {}
}

// Arguments are kind=place: missing=127.0.0.1:0, pprof=/run/x.sock.
func main() {
	for _, argument := range os.Args[1:] {
		kind, place, _ := strings.Cut(argument, "=")
		listener := listen(place)
		fmt.Println(kind, "listening on", listener.Addr())
		go serve(kind, listener)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
