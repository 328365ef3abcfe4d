package main

import "targets/serve"

// A map grows to the size and is emptied: it keeps its buckets. Then the traffic goes on, with
// the rate, under the goal that the buckets set.
func emptiedMap(s Settings) {
	const entry = 8 + 120
	table := make(map[int][120]byte)
	last := int(s.size * serve.MiB / entry)
	for i := 0; i < last; i++ {
		table[i] = [120]byte{byte(i)}
	}
	serve.Say("filled")
	for key := range table {
		delete(table, key)
	}
	serve.Say("emptied")
	number := 0
	serve.Pace(s.rate*serve.MiB/documentBytes, func() bool {
		number++
		return len(document(number)) > len(table)
	})
}
