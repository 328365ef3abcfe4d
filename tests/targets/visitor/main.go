// Visitor asks a URL at a steady rate, whether the last answers have come or not, and prints how
// long the answers took: a JSON list of microseconds, counted from when each should have been asked.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	url := flag.String("url", "", "what to ask for")
	rate := flag.Int("rate", 200, "requests a second")
	seconds := flag.Int("seconds", 10, "for so long")
	flag.Parse()

	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	count := *rate * *seconds
	took := make([]int64, count)
	var asking sync.WaitGroup
	began := time.Now()
	for i := 0; i < count; i++ {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(*rate))
		time.Sleep(time.Until(due))
		asking.Add(1)
		go func(took *int64) {
			defer asking.Done()
			answer, err := client.Get(*url)
			if err != nil {
				log.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			*took = time.Since(due).Microseconds()
		}(&took[i])
	}
	asking.Wait()
	json.NewEncoder(os.Stdout).Encode(took)
}
