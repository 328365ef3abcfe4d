// Goregexp reads a file of gctrace lines with one compiled regexp and converts every number in
// them: what memtui's parser is measured against. It prints the lines that matched, the sum of
// their live heaps and the CPU seconds it took.
package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

var line = regexp.MustCompile(`gc (\d+) @([\d.]+)s (\d+)%( \(checking for goroutine leaks\))?: ([\d.]+)\+([\d.]+)\+([\d.]+) ms clock, ` +
	`([\d.]+)\+([\d.]+)/([\d.]+)/([\d.]+)\+([\d.]+) ms cpu, (\d+)->(\d+)->(\d+) MB, (\d+) MB goal, ` +
	`(?:(\d+) MB stacks, (\d+) MB globals, )?(\d+) P( \(forced\))?$`)

type cycle struct {
	number, percent, start, end, live, goal, stacks, globals, procs uint64
	at                                                              float64
	clock                                                           [3]float64
	cpu                                                             [5]float64
	forced                                                          bool
}

func whole(text []byte) uint64 {
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		panic(err)
	}
	return number
}

func real(text []byte) float64 {
	number, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		panic(err)
	}
	return number
}

func read(text []byte) (c cycle, ok bool) {
	m := line.FindSubmatch(text)
	if m == nil {
		return c, false
	}
	c.number, c.at, c.percent = whole(m[1]), real(m[2]), whole(m[3])
	for i := range c.clock {
		c.clock[i] = real(m[5+i])
	}
	for i := range c.cpu {
		c.cpu[i] = real(m[8+i])
	}
	c.start, c.end, c.live, c.goal = whole(m[13]), whole(m[14]), whole(m[15]), whole(m[16])
	c.stacks, c.globals, c.procs = whole(m[17]), whole(m[18]), whole(m[19])
	c.forced = m[20] != nil
	return c, true
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	began := cpu()
	var matched, live uint64
	for len(data) > 0 {
		text, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if c, ok := read(text); ok {
			matched++
			live += c.live
		}
	}
	fmt.Println(matched, live, (cpu() - began).Seconds())
}
