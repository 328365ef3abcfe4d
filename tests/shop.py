"""The stacks of a shop, 100 MiB in all, for views of a call tree."""

from memtui.panes.profile.formatting import Measure

MIB = 1 << 20
PUT = "github.com/acme/shop/store.(*Cache[go.shape.string]).Put"
SHOP = {
    f"main.main|http.Serve|{PUT}|runtime.mallocgc": 40 * MIB,
    f"main.main|http.Serve|{PUT}": 20 * MIB,
    "main.main|http.Serve|main.handle|encoding/json.Unmarshal": 12 * MIB,
    "main.main|main.refill": 8 * MIB,
    "runtime.mcall|runtime.park_m": 20 * MIB,
}
BYTES = Measure("bytes", 100 * MIB)
