package main

// reported are the shapes of public bug reports; their sizes and rates are those of a recording.
var reported = map[string]shape{
	// Much was used once, and now nothing happens.
	"idle-burst":   {idleBurst, 120, 1},
	"idle-garbage": {idleGarbage, 120, 1},
	"old-peak":     {oldPeak, 400, 1},
	"died":         {died, 160, 1},
	"emptied-map":  {emptiedMap, 100, 24},
	// The collector has too little room, or more than it seems.
	"gc-thrash":     {gcThrash, 80, 40},
	"limit-in-code": {limitInCode, 120, 24},
	// The heap is larger than RES.
	"ballast":         {ballast, 1024, 24},
	"untouched":       {untouched, 0, 1},
	"untouched-large": {untouchedLarge, 83, 24},
	// The live heap grows.
	"blocked-finalizer": {blockedFinalizer, 0, 1},
	"time-after":        {timeAfter, 0, 1},
	"largest-buffers":   {largestBuffers, 64, 1},
	"substrings":        {substrings, 0, 1},
	"fast-leak":         {fastLeak, 128, 2},
	// Goroutines, threads and stacks grow.
	"bodies":           {bodies, 0, 1},
	"blocked-syscalls": {blockedSyscalls, 0, 30},
	"idle-threads":     {idleThreads, 0, 30},
	"many-stacks":      {manyStacks, 0, 1},
	// Files, and what the container pays.
	"pieces":   {pieces, 160, 1},
	"rings":    {rings, 0, 2},
	"tmpfs":    {tmpfs, 0, 3},
	"written":  {written, 0, 3},
	"dentries": {dentries, 0, 3},
	// Healthy.
	"ttl":   {ttl, 0, 1},
	"tide":  {tide, 48, 1},
	"batch": {batch, 180, 1},
}
