// Shapes is a Go service whose memory has a known shape, named by its first argument: a leak, a
// plateau, a wave, or several of them with a + between. Sizes are in MiB and rates in MiB a second; the shape begins after a calm time
// in which only the traffic goes on that every service has.
package main

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"targets/serve"
)

// Settings are what the command line says; every shape reads those that mean something to it.
type Settings struct {
	address string
	after   time.Duration
	rate    float64
	size    float64
	live    float64
	traffic float64
	period  time.Duration
	keep    float64
}

// of returns the settings with what suits the shape where the command line says nothing.
func (s Settings) of(chosen shape) Settings {
	if s.size == 0 {
		s.size = chosen.size
	}
	if s.rate == 0 {
		s.rate = chosen.rate
	}
	return s
}

var requests serve.Traffic

// A shape runs until the process ends, or returns when all is done that it had to do. Its size in
// MiB and its rate in MiB a second are those of a command line that says nothing of them.
type shape struct {
	run        func(Settings)
	size, rate float64
}

var shapes = map[string]shape{
	// The live heap grows, or steps up once.
	"cache":    {cache, 0, 1},
	"timers":   {timers, 0, 1},
	"contexts": {contexts, 0, 1},
	"buffer":   {buffer, 24, 1},
	// Goroutines grow.
	"abandoned": {abandoned, 0, 1},
	"deep":      {deep, 0, 1},
	"holders":   {holders, 0, 1},
	// Memory of the Go heap that nothing uses.
	"emptied":      {emptied, 48, 4},
	"emptied-busy": {emptiedBusy, 48, 4},
	"burst":        {burst, 48, 1},
	"pool-burst":   {poolBurst, 48, 1},
	"dead":         {dead, 48, 4},
	"fragments":    {fragments, 5, 1},
	"hugepages":    {hugePages, 64, 1},
	// Outside the Go heap.
	"mmap":       {mmapPrivate, 0, 1},
	"shared":     {mmapShared, 0, 1},
	"filemap":    {fileMap, 160, 1},
	"finalizers": {finalizers, 0, 1},
	"contention": {contention, 0, 1},
	// The goal grows.
	"percent": {percent, 0, 1},
	"limit":   {limit, 0, 1},
	// Healthy.
	"documents":  {documents, 0, 24},
	"warmup":     {warmUp, 32, 1},
	"bursts":     {bursts, 32, 1},
	"pool":       {pool, 0, 24},
	"lru":        {lru, 16, 4},
	"smallheap":  {documents, 0, 40},
	"idle":       {idle, 0, 1},
	"reserved":   {reserved, 64, 1},
	"wave":       {wave, 32, 1},
	"goroutines": {goroutineTide, 0, 1},
}

func init() {
	for name, each := range reported {
		shapes[name] = each
	}
}

func usage() {
	names := make([]string, 0, len(shapes))
	for name := range shapes {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: shapes SHAPE[+SHAPE...] [flags]; shapes: %s\n", strings.Join(names, " "))
	flag.PrintDefaults()
}

func main() {
	var s Settings
	flag.Usage = usage
	flag.StringVar(&s.address, "listen", "127.0.0.1:0", "address of the HTTP server")
	flag.DurationVar(&s.after, "after", 2*time.Second, "calm time before the shape begins")
	flag.Float64Var(&s.rate, "rate", 0, "MiB a second that the shape moves; 0: what suits it")
	flag.Float64Var(&s.size, "size", 0, "MiB of a burst, of a bound; 0: what suits the shape")
	flag.Float64Var(&s.live, "live", 8, "MiB that stay alive from the start")
	flag.Float64Var(&s.traffic, "traffic", 8, "MiB of garbage a second, besides the shape's own")
	flag.Float64Var(&s.keep, "keep", 0, "MiB that stay alive of a burst")
	flag.DurationVar(&s.period, "period", time.Minute, "time of a burst, a wave, a fill")
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	names := strings.Split(os.Args[1], "+")
	for _, name := range names {
		if shapes[name].run == nil {
			usage()
			os.Exit(2)
		}
	}
	flag.CommandLine.Parse(os.Args[2:])
	s.address = serve.Listen(s.address).String()
	requests.Load(s.live)
	go requests.Run(s.traffic)
	time.Sleep(s.after)
	serve.Say("begins")
	var all sync.WaitGroup
	for _, name := range names {
		all.Add(1)
		go func(chosen shape) {
			defer all.Done()
			chosen.run(s.of(chosen))
		}(shapes[name])
	}
	all.Wait()
	serve.Say("done")
	select {}
}
