"""Samples, which are what sources read, and events, which are samples with their moments.

Sizes are bytes, durations seconds, moments Unix seconds, unless a name ends in another unit.
Samples hold what was read, never what was derived. Rates, shares and changes are computed when
they are shown, so that a recording stays right when the computation improves.
"""

from memtui.model.cgroup import CgroupMemory
from memtui.model.events import Act, Attached, Ended, Fetch, Mark, Trouble
from memtui.model.gctrace import GcCycle, GcPause, OutputLine, Restart, ScavengeLine, TornLine
from memtui.model.host import HostMemory
from memtui.model.kinds import (
    KIND_OF,
    KINDS,
    SOURCES,
    Event,
    Sample,
    SampleKind,
    SampleSource,
)
from memtui.model.mapping import (
    CgroupLevel,
    Environment,
    MappedName,
    MappingGroup,
    MappingGroups,
    MappingKind,
    MappingSample,
    Resident,
)
from memtui.model.process import Absent, ProcessIdentity, ProcessSample, Reading, Words
from memtui.model.profile import (
    Dated,
    FunctionValue,
    Profile,
    ProfileKind,
    ProfileRequest,
    SampleValues,
    Taking,
    gap_s,
    moment_of,
)
from memtui.model.runtime import MemStats, Origin, RuntimeSample

__all__ = [
    "KINDS",
    "KIND_OF",
    "SOURCES",
    "Absent",
    "Act",
    "Attached",
    "CgroupLevel",
    "CgroupMemory",
    "Dated",
    "Ended",
    "Environment",
    "Event",
    "Fetch",
    "FunctionValue",
    "GcCycle",
    "GcPause",
    "HostMemory",
    "MappedName",
    "MappingGroup",
    "MappingGroups",
    "MappingKind",
    "MappingSample",
    "Mark",
    "MemStats",
    "Origin",
    "OutputLine",
    "ProcessIdentity",
    "ProcessSample",
    "Profile",
    "ProfileKind",
    "ProfileRequest",
    "Reading",
    "Resident",
    "Restart",
    "RuntimeSample",
    "Sample",
    "SampleKind",
    "SampleSource",
    "SampleValues",
    "ScavengeLine",
    "Taking",
    "TornLine",
    "Trouble",
    "Words",
    "gap_s",
    "moment_of",
]
