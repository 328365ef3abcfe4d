// Outside is a Go service that loses memory in its C part, named by its first argument: strings
// that C copies and nobody frees, or threads of C that wait for ever, each deep in its stack.
package main

/*
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// wait_deep touches so many bytes of the stack and waits for what never comes.
static void wait_deep(int bytes) {
	volatile char frame[bytes];
	for (int i = 0; i < bytes; i += 4096)
		frame[i] = 1;
	while (frame[0])
		pause();
}
*/
import "C"

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"targets/serve"
)

func strdup(rate float64) {
	number := 0
	serve.Pace(rate*serve.MiB/1024, func() bool {
		number++
		label := C.CString(fmt.Sprint(strings.Repeat("label ", 100+number%140), number))
		defer C.free(unsafe.Pointer(label))
		return C.strdup(label) != nil
	})
}

func threads(rate float64) {
	const bytes = 256 << 10
	serve.Pace(rate*serve.MiB/bytes, func() bool {
		go C.wait_deep(bytes)
		return true
	})
}

// startDeepThread starts a goroutine that stays in C, deep in the stack of its thread.
func startDeepThread(bytes int) bool {
	go C.wait_deep(C.int(bytes))
	return true
}

func main() {
	var requests serve.Traffic
	address := flag.String("listen", "127.0.0.1:0", "address of the HTTP server")
	after := flag.Duration("after", 2*time.Second, "calm time before the loss begins")
	rate := flag.Float64("rate", 1, "MiB a second that are lost")
	live := flag.Float64("live", 1, "MiB that stay alive from the start")
	traffic := flag.Float64("traffic", 8, "MiB of garbage a second")
	losses := map[string]func(float64){
		"strdup": strdup, "threads": threads,
		"finalized": finalized, "arenas": arenas, "stacks": stacks,
	}
	if len(os.Args) < 2 || losses[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: outside strdup|threads|finalized|arenas|stacks [flags]")
		flag.PrintDefaults()
		os.Exit(2)
	}
	flag.CommandLine.Parse(os.Args[2:])
	serve.Listen(*address)
	requests.Load(*live)
	go requests.Run(*traffic)
	time.Sleep(*after)
	serve.Say("begins")
	losses[os.Args[1]](*rate)
}
