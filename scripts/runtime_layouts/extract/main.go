// Extract prints what memtui has to know of a Go runtime to read it from outside, as JSON: offsets
// of fields from DWARF, tables of the runtime, and which addresses its functions refer to.
//
//	extract BINARY
package main

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"log"
	"os"
	"sort"
	"strings"
)

// Offsets of these fields; a name may be missing in a version.
var fields = map[string]string{
	"gcControllerState": "gcPercent memoryLimit gcPercentHeapGoal sweepDistMinTrigger triggered " +
		"lastHeapGoal heapLive lastStackScan maxStackScan globalsScan heapMarked assistTime dedicatedMarkTime " +
		"fractionalMarkTime idleMarkTime heapInUse heapReleased heapFree totalAlloc totalFree mappedReady",
	"mstats": "heapStats stacks_sys mspan_sys mcache_sys buckhash_sys gcMiscSys other_sys last_gc_unix " +
		"pause_total_ns pause_ns pause_end numgc numforcedgc gc_cpu_fraction",
	"heapStatsDelta": "committed released inHeap inStacks inWorkBufs inPtrScalarBits tinyAllocCount " +
		"largeAlloc largeAllocCount smallAllocCount largeFree largeFreeCount smallFreeCount",
	"workType":  "userForced cycles stwprocs maxprocs tSweepTerm tMark tMarkTerm tEnd pauseNS heap0 heap1 heap2",
	"mheap":     "allspans spanalloc cachealloc",
	"fixalloc":  "inuse",
	"mspan":     "startAddr npages nelems allocCount allocCountBeforeCache elemsize spanclass state sweepgen",
	"mcache":    "tinyAllocs alloc",
	"p":         "mcache",
	"g":         "stack m sched syscallsp syscallpc atomicstatus goid waitsince waitreason gopc startpc parentGoid",
	"gobuf":     "sp pc bp",
	"bucket":    "allnext typ size nstk",
	"memRecord": "active future",
	"schedt":    "ngsys",
	"moduledata": "pcHeader funcnametab cutab filetab pctab pclntable ftab minpc maxpc text etext " +
		"noptrdata enoptrdata data edata bss ebss noptrbss enoptrbss end gofunc next",
	"_func":          "",
	"memRecordCycle": "",
	"inlinedCall":    "funcID nameOff parentPc startLine",
}

// Globals that memtui reads. Their addresses are found by the functions that refer to them.
var globals = strings.Fields("mheap_ memstats gcController work allgs mbuckets allp sched " +
	"MemProfileRate mProfCycle runtimeInitTime gcphase")

type layout struct {
	Fields      map[string]uint64             `json:"fields"`
	WaitReasons []string                      `json:"wait_reasons"`
	Classes     []uint16                      `json:"classes"`
	Wrapper     uint64                        `json:"wrapper"`
	References  map[string]map[string][]int64 `json:"references"`
}

func main() {
	file, err := elf.Open(os.Args[1])
	check(err)
	out := layout{Fields: map[string]uint64{}, References: map[string]map[string][]int64{}}
	readTypes(file, &out)
	symbols, err := file.Symbols()
	check(err)
	byName := map[string]elf.Symbol{}
	for _, symbol := range symbols {
		byName[symbol.Name] = symbol
	}
	for _, at := range []string{"runtime.class_to_size", "internal/runtime/gc.SizeClassToSize"} {
		if symbol, ok := byName[at]; ok {
			data := read(file, symbol.Value, symbol.Size)
			for i := 0; i+1 < len(data); i += 2 {
				out.Classes = append(out.Classes, binary.LittleEndian.Uint16(data[i:]))
			}
		}
	}
	reasons := byName["runtime.waitReasonStrings"]
	headers := read(file, reasons.Value, reasons.Size)
	for i := 0; i+15 < len(headers); i += 16 {
		start, size := binary.LittleEndian.Uint64(headers[i:]), binary.LittleEndian.Uint64(headers[i+8:])
		out.WaitReasons = append(out.WaitReasons, string(read(file, start, size)))
	}
	for _, function := range symbols {
		if elf.ST_TYPE(function.Info) != elf.STT_FUNC || !strings.HasPrefix(function.Name, "runtime.") ||
			strings.HasSuffix(function.Name, ".abi0") {
			continue
		}
		code := read(file, function.Value, function.Size)
		for _, name := range globals {
			global, ok := byName["runtime."+name]
			if !ok {
				log.Fatal("no symbol for ", name)
			}
			if offsets := referred(code, function.Value, global); len(offsets) > 0 {
				if out.References[name] == nil {
					out.References[name] = map[string][]int64{}
				}
				out.References[name][strings.TrimPrefix(function.Name, "runtime.")] = offsets
			}
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

// referred returns which bytes of a global four bytes of code could refer to, relative to the
// instruction pointer behind them.
func referred(code []byte, start uint64, global elf.Symbol) []int64 {
	found := map[int64]bool{}
	for i := 0; i+4 <= len(code); i++ {
		near := int64(int32(binary.LittleEndian.Uint32(code[i:])))
		offset := int64(start) + int64(i) + 4 + near - int64(global.Value)
		if 0 <= offset && offset < int64(global.Size) {
			found[offset] = true
		}
	}
	offsets := make([]int64, 0, len(found))
	for offset := range found {
		offsets = append(offsets, offset)
	}
	sort.Slice(offsets, func(i, j int) bool { return offsets[i] < offsets[j] })
	return offsets
}

func readTypes(file *elf.File, out *layout) {
	data, err := file.DWARF()
	check(err)
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		check(err)
		if entry == nil {
			return
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		switch entry.Tag {
		case dwarf.TagConstant:
			if name == "internal/abi.FuncIDWrapper" || name == "runtime.funcID_wrapper" {
				value, _ := entry.Val(dwarf.AttrConstValue).(int64)
				out.Wrapper = uint64(value)
			}
		case dwarf.TagStructType:
			wanted, ok := fields[strings.TrimPrefix(name, "runtime.")]
			if !ok || !strings.HasPrefix(name, "runtime.") {
				continue
			}
			kind, err := data.Type(entry.Offset)
			check(err)
			record := kind.(*dwarf.StructType)
			prefix := strings.TrimPrefix(name, "runtime.") + "."
			out.Fields[prefix+"sizeof"] = uint64(record.ByteSize)
			for _, field := range record.Field {
				for _, each := range strings.Fields(wanted) {
					if each == field.Name {
						out.Fields[prefix+each] = uint64(field.ByteOffset)
					}
				}
			}
		}
	}
}

func read(file *elf.File, address, size uint64) []byte {
	if size == 0 {
		return nil
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_LOAD && segment.Vaddr <= address && address+size <= segment.Vaddr+segment.Filesz {
			data := make([]byte, size)
			_, err := segment.ReadAt(data, int64(address-segment.Vaddr))
			check(err)
			return data
		}
	}
	log.Fatalf("nothing at %x", address)
	return nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
