package main

import (
	"bufio"
	"log"
	"os"
	"syscall"

	"targets/serve"
)

// A data file of the size is mapped in pieces of 1 MiB, from its begin to its end, and read. No
// piece is large; the kernel joins none, as each lies below the piece that precedes it in the file.
func pieces(s Settings) {
	file, err := os.CreateTemp("", "segments-*.dat")
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriterSize(file, serve.MiB)
	piece := make([]byte, serve.MiB)
	for i := 0; i < int(s.size); i++ {
		out.Write(piece)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
	os.Remove(file.Name()) // the process is ended by a signal, which no defer survives
	serve.Say("written")
	read, next := 0, 0
	serve.Pace(s.rate, func() bool {
		piece, err := syscall.Mmap(int(file.Fd()), int64(next)*serve.MiB, serve.MiB,
			syscall.PROT_READ, syscall.MAP_SHARED)
		if err != nil {
			log.Fatal(err)
		}
		for at := 0; at < len(piece); at += pageBytes {
			read += int(piece[at])
		}
		next++
		return next < int(s.size) && read == 0
	})
}
