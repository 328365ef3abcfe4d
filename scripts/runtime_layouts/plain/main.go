// A reference program without a profiler and without a network.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
)

func main() {
	done := make(chan []string)
	for i := range os.Args {
		go func(i int) { done <- []string{fmt.Sprint(i), runtime.Version()} }(i)
	}
	for range os.Args {
		words := <-done
		sort.Strings(words)
		fmt.Println(words)
	}
	runtime.GC()
}
