"""The memory of the host on which the process runs."""

from __future__ import annotations

from dataclasses import dataclass

SHORT_SHARE = 0.1
"""Below this share of available memory a host is short, and the kernel is about to reclaim.

An estimate: kswapd starts when free pages fall below watermarks that depend on the zones
(Documentation/admin-guide/sysctl/vm.rst, watermark_scale_factor).
"""


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory and swap of the host, in bytes.

    ``available_bytes`` is what programs can still allocate without swapping: MemAvailable of
    /proc/meminfo on Linux (man proc_meminfo), free and inactive pages on other systems.
    """

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_used_bytes: int

    @property
    def is_short(self) -> bool:
        """Whether so little is available that the kernel reclaims memory."""
        return self.available_bytes < SHORT_SHARE * self.total_bytes
