"""The screen: a view goes in, cells come out."""
