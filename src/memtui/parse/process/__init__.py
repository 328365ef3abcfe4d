"""Text of /proc, of cgroups and of ELF files into facts about a process; pure."""
