// A reference program with an HTTP server, profiles and expvar.
package main

import (
	"encoding/json"
	_ "expvar"
	"log"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/trace"
	"text/template"
	"time"
)

func main() {
	debug.SetGCPercent(50)
	if len(os.Args) > 2 {
		trace.Start(os.Stderr)
		defer trace.Stop()
		exec.Command(os.Args[2]).Run()
	}
	page := template.Must(template.New("").Parse("{{.}}"))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(r.Header)
		page.Execute(w, time.Now())
	})
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
