package main

/*
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A worker fills its malloc arena with blocks of 4 KiB and frees all but the last one: glibc gives
// back the top of an arena only, and that block lies there.
static void *work(void *bytes) {
	long count = (long)bytes / 4096;
	void **blocks = malloc(count * sizeof *blocks);
	for (long i = 0; i < count; i++) {
		blocks[i] = malloc(4000);
		memset(blocks[i], 1, 4000);
	}
	for (long i = 0; i + 1 < count; i++)
		free(blocks[i]);
	for (;;)
		pause();
}

static int start_worker(long bytes) {
	pthread_t thread;
	return pthread_create(&thread, NULL, work, (void *)bytes);
}

static void *image(long bytes) {
	void *made = malloc(bytes);
	memset(made, 1, bytes);
	return made;
}
*/
import "C"

import (
	"runtime"
	"time"
	"unsafe"

	"targets/serve"
)

// Image is a picture that C holds; a finalizer frees it.
type Image struct{ pixels unsafe.Pointer }

func newImage(bytes int) *Image {
	image := &Image{C.image(C.long(bytes))}
	runtime.SetFinalizer(image, func(i *Image) { C.free(i.pixels) })
	return image
}

// Pictures of 64 KiB are dropped at once. The Go heap hardly grows, so that no collection runs and
// no finalizer does.
func finalized(rate float64) {
	const bytes = 64 << 10
	serve.Pace(rate*serve.MiB/bytes, func() bool { return newImage(bytes).pixels != nil })
}

// Workers of C fill an arena of malloc each, so many MiB a second, 128 MiB in all. Then they wait.
func arenas(rate float64) {
	const workers, bytes = 16, 8 << 20
	started := 0
	serve.Pace(rate*serve.MiB/bytes, func() bool {
		started++
		return C.start_worker(bytes) == 0 && started < workers
	})
	serve.Say("filled")
	time.Sleep(time.Hour)
}

// Threads of C wait for ever, each with 2 MiB of its stack in use, as a deep recursion leaves it.
func stacks(rate float64) {
	const bytes = 2 << 20
	serve.Pace(rate*serve.MiB/bytes, func() bool { return startDeepThread(bytes) })
}
