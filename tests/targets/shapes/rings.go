package main

import (
	"log"
	"syscall"
	"unsafe"

	"targets/serve"
)

// Packet rings of 2 MiB, one for each socket, that receive nothing (packet(7), PACKET_RX_RING).
// Their mappings are called socket:[NUMBER], each with another number, and never go on demand. It
// takes CAP_NET_RAW.
func rings(s Settings) {
	const bytes, packetRxRing, frame = 2 << 20, 5, 2048
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
		if err != nil {
			log.Fatal(err)
		}
		request := [4]uint32{bytes / 16, 16, frame, bytes / frame}
		_, _, failed := syscall.Syscall6(syscall.SYS_SETSOCKOPT, uintptr(socket), syscall.SOL_PACKET,
			packetRxRing, uintptr(unsafe.Pointer(&request)), unsafe.Sizeof(request), 0)
		if failed != 0 {
			log.Fatal(failed)
		}
		mustMap(socket, bytes, syscall.MAP_SHARED)
		return true
	})
}
