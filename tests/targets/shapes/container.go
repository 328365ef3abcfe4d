package main

import (
	"fmt"
	"log"
	"os"

	"targets/serve"
)

// spill writes to a file in the folder, at the rate. The file has no name any more, so that it
// goes when the process ends.
func spill(folder string, rate float64) {
	file, err := os.CreateTemp(folder, "spill-*")
	if err != nil {
		log.Fatal(err)
	}
	os.Remove(file.Name())
	block := make([]byte, serve.MiB/16)
	serve.Pace(rate*16, func() bool {
		_, err := file.Write(block)
		return err == nil
	})
}

// A file grows in a tmpfs: the container pays for its pages, which are in no process, and they
// never go on demand.
func tmpfs(s Settings) { spill("/dev/shm", s.rate) }

// A file grows on a disk: the container pays for its pages as cache, which goes on demand.
func written(s Settings) { spill("", s.rate) }

// Names are looked up that do not exist: the kernel keeps a dentry for each, in the slab of the
// container.
func dentries(s Settings) {
	const bytes = 192
	folder := os.TempDir()
	number := 0
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		number++
		_, err := os.Stat(fmt.Sprintf("%s/no-such-%d-%d", folder, os.Getpid(), number))
		return err != nil
	})
}
