// Orders is a small Go service with a life of its own: customers order without end, each order
// makes garbage, a catalogue stays alive, and now and then somebody asks for a report that needs
// many megabytes for a moment. Its live heap is flat; its RES is not.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strings"
	"sync"
	"time"
)

// Item is one thing that can be ordered.
type Item struct {
	Name  string
	Notes []byte
}

// Catalogue keeps every item alive for as long as the service lives.
type Catalogue[K comparable] struct {
	mu    sync.RWMutex
	items map[K]*Item
}

// Put stores an item under its key.
func (c *Catalogue[K]) Put(key K, item *Item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items[key] = item
}

// Get returns the item of a key, or nil.
func (c *Catalogue[K]) Get(key K) *Item {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.items[key]
}

func loadCatalogue(items, itemBytes int) *Catalogue[string] {
	catalogue := &Catalogue[string]{items: make(map[string]*Item)}
	for i := 0; i < items; i++ {
		name := fmt.Sprintf("item-%05d", i)
		catalogue.Put(name, &Item{Name: name, Notes: make([]byte, itemBytes)})
	}
	return catalogue
}

func takeOrder(catalogue *Catalogue[string], number int) string {
	item := catalogue.Get(fmt.Sprintf("item-%05d", number%4096))
	var lines []string
	for i := 0; i < 40; i++ {
		lines = append(lines, fmt.Sprintf("%d x %v @ %d", i, item != nil, number))
	}
	return strings.Join(lines, "\n")
}

func writeReport(megabytes int) int {
	pages := make([][]byte, 0, megabytes)
	for i := 0; i < megabytes; i++ {
		page := make([]byte, 1<<20)
		for j := range page {
			page[j] = byte(j)
		}
		pages = append(pages, page)
	}
	return len(pages)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address of the HTTP server; empty for none")
	perSecond := flag.Int("orders", 400, "orders a second")
	items := flag.Int("items", 4096, "items in the catalogue")
	itemBytes := flag.Int("item-bytes", 2048, "bytes of each item")
	report := flag.Int("report", 6, "megabytes of the first report; each next one is larger by this")
	reportEvery := flag.Duration("report-every", 10*time.Second, "time between two reports; 0 for none")
	largest := flag.Int("largest", 48, "megabytes of the largest report")
	logEvery := flag.Duration("log-every", 2*time.Second, "time between two log lines; 0 for none")
	flag.Parse()

	catalogue := loadCatalogue(*items, *itemBytes)
	http.HandleFunc("/order", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, takeOrder(catalogue, len(r.URL.RawQuery)))
	})
	if *listen != "" {
		listener, err := net.Listen("tcp", *listen)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("listening on", listener.Addr())
		go func() { log.Fatal(http.Serve(listener, nil)) }()
	}
	fmt.Println("pid", os.Getpid())
	if *reportEvery > 0 {
		go func() {
			for size := *report; ; size = min(size+*report, *largest) {
				time.Sleep(*reportEvery)
				pages := writeReport(size)
				log.Printf("report of %d pages written", pages)
			}
		}()
	}
	tick := time.NewTicker(20 * time.Millisecond)
	logged := time.Now()
	for number, owed := 0, 0.0; ; {
		<-tick.C
		for owed += float64(*perSecond) / 50; owed >= 1; owed-- {
			number++
			takeOrder(catalogue, number)
		}
		if *logEvery > 0 && time.Since(logged) >= *logEvery {
			logged = time.Now()
			log.Printf("orders=%d [ok] path=/api/v1/orders", number)
		}
	}
}
