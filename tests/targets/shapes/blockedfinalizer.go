package main

import (
	"runtime"

	"targets/serve"
)

// Upload is what a finalizer closes.
type Upload struct{ body [4 << 10]byte }

// closeUpload waits for a lock that is never released.
func closeUpload(done chan<- *Upload) func(*Upload) {
	return func(upload *Upload) { done <- upload }
}

// The runtime runs all finalizers in one goroutine, and the first of them never returns: nothing
// that has a finalizer is freed from then on.
func blockedFinalizer(s Settings) {
	done := make(chan *Upload)
	finalizer := closeUpload(done)
	serve.Pace(s.rate*serve.MiB/(4<<10), func() bool {
		upload := &Upload{}
		upload.body[0], upload.body[2<<10] = 1, 1
		runtime.SetFinalizer(upload, finalizer)
		return true
	})
	runtime.KeepAlive(done)
}
