package main

import (
	"fmt"
	"strings"

	"targets/serve"
)

// nameOf returns the first word of a page: 20 bytes that keep the whole page.
func nameOf(page string) string { return page[:20] }

// Names are kept, each a part of a page of 16 KiB.
func substrings(s Settings) {
	const bytes = 16 << 10
	var names []string
	serve.Pace(s.rate*serve.MiB/bytes, func() bool {
		page := fmt.Sprintf("%020d", len(names)) + strings.Repeat("p", bytes-20)
		names = append(names, nameOf(page))
		return true
	})
}
