"""memtui: why does the RES of this Go process grow?"""

__version__ = "0.1.0"
