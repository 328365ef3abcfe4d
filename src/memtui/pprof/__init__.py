"""What ``go tool pprof`` makes of a profile: pure functions from stacks and a lens to rows."""
