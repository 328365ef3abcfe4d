// Routes uses CPU for two routes, with their names as labels, and writes a profile of it.
//
//	routes FILE
package main

import (
	"context"
	"log"
	"os"
	"runtime/pprof"
	"time"
)

func main() {
	file, err := os.Create(os.Args[1])
	check(err)
	check(pprof.StartCPUProfile(file))
	serve("/pay", pay, 600*time.Millisecond)
	serve("/cart, items", cart, 200*time.Millisecond)
	pprof.StopCPUProfile()
	check(file.Close())
}

func serve(route string, handle func() int, lasts time.Duration) {
	pprof.Do(context.Background(), pprof.Labels("route", route), func(context.Context) {
		for ends := time.Now().Add(lasts); time.Now().Before(ends); {
			handled += handle()
		}
	})
}

var handled int

//go:noinline
func pay() int { return burn(1 << 16) }

//go:noinline
func cart() int { return burn(1 << 16) }

//go:noinline
func burn(count int) (sum int) {
	for i := 0; i < count; i++ {
		sum += i * i % 7
	}
	return sum
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
