package main

import (
	"fmt"
	"os"
)

// Sessions are kept until the heap has the size; there the service ends, as one that ran into the
// limit of its container.
func fastLeak(s Settings) {
	fill(s.size-s.live, s.rate)
	fmt.Fprintln(os.Stderr, "out of memory")
	os.Exit(2)
}
