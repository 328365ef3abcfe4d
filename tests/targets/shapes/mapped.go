package main

import (
	"bufio"
	"encoding/binary"
	"log"
	"os"
	"syscall"

	"targets/serve"
)

const pageBytes = 4096

func mustMap(fd int, bytes int, flags int) []byte {
	mapped, err := syscall.Mmap(fd, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, flags)
	if err != nil {
		log.Fatal(err)
	}
	return mapped
}

// Segments of a queue, mapped one after another and written page by page, that nobody unmaps.
func mmapPrivate(s Settings) { segments(s.rate, syscall.MAP_PRIVATE) }

// The same in memory that could be shared with another process.
func mmapShared(s Settings) { segments(s.rate, syscall.MAP_SHARED) }

func segments(rate float64, flags int) {
	const segmentBytes = 1536 << 10
	var segment []byte
	serve.Pace(rate*serve.MiB/pageBytes, func() bool {
		if len(segment) == 0 {
			segment = mustMap(-1, segmentBytes, flags|syscall.MAP_ANON)
		}
		segment[0] = 1
		segment = segment[pageBytes:]
		return true
	})
}

// database writes a file of numbered pages and maps it; it leaves no name behind.
func database(pages int) []byte {
	file, err := os.CreateTemp("", "orders-*.db")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	out := bufio.NewWriterSize(file, serve.MiB)
	page := make([]byte, pageBytes)
	for i := 0; i < pages; i++ {
		binary.LittleEndian.PutUint64(page, uint64(i))
		out.Write(page)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
	return mustMap(int(file.Fd()), pages*pageBytes, syscall.MAP_SHARED)
}

// A mapped database is read from its newest page to its oldest, again and again. The kernel maps
// pages around the one that was asked for, as many as a folio has: RES grows by steps.
func fileMap(s Settings) {
	pages := int(s.size * serve.MiB / pageBytes)
	mapped := database(pages)
	serve.Say("written")
	next := 0
	serve.Pace(s.rate*serve.MiB/pageBytes, func() bool {
		next = (next + pages - 1) % pages
		return binary.LittleEndian.Uint64(mapped[next*pageBytes:]) == uint64(next)
	})
}
