package main

import (
	"syscall"
	"unsafe"

	"targets/serve"
)

const (
	blockBytes   = 64 << 10
	hugeBytes    = 2 << 20
	madvHugePage = 14
)

// A store of blocks wants huge pages for its part of the Go heap, and then drops most of them:
// one in 32 stays, that is one in each huge page, and is read all the time.
func hugePages(s Settings) {
	blocks := make([][]byte, int(s.size*serve.MiB/blockBytes))
	for i := range blocks {
		blocks[i] = make([]byte, blockBytes)
		for page := 0; page < blockBytes; page += 4096 {
			blocks[i][page] = 1
		}
		address := uintptr(unsafe.Pointer(&blocks[i][0])) &^ (hugeBytes - 1)
		// An end of the heap inside the last range is no failure: the rest is advised.
		syscall.Syscall(syscall.SYS_MADVISE, address, hugeBytes, madvHugePage)
	}
	serve.Say("filled")
	for i := range blocks {
		if i%32 != 0 {
			blocks[i] = nil
		}
	}
	serve.Say("dropped")
	go func() {
		requests.UntilCollected()
		requests.UntilCollected()
		serve.Say("collected")
	}()
	read := 0
	serve.Pace(10, func() bool {
		for _, block := range blocks {
			if block != nil {
				read += int(block[0])
			}
		}
		return read > 0
	})
}
