"""The flame view: the root at the top, a row a depth, boxes as wide as their share."""
