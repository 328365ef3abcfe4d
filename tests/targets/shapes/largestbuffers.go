package main

import "targets/serve"

// Buffers are reused and never shrunk: few requests are large, and in the end each buffer has been
// large once (golang/go#23199). The size is that of all buffers then.
func largestBuffers(s Settings) {
	const large = 256 << 10
	buffers := make([][]byte, int(s.size*serve.MiB/large))
	number, next := 0, 0
	perSecond := s.rate * serve.MiB / large
	serve.Pace(perSecond*50, func() bool {
		number++
		if number%50 == 0 {
			buffers[next%len(buffers)] = append(buffers[next%len(buffers)][:0], make([]byte, large)...)
			next++
			return true
		}
		small := &buffers[number%len(buffers)]
		*small = append((*small)[:0], make([]byte, 512)...)
		return true
	})
}
