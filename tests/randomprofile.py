"""Makes random profiles with every feature of the format; a seed always makes the same one."""

from __future__ import annotations

from random import Random

from memtui.parse.profile import profile_pb2 as wire

NAMES = (
    "main.main", "main.work", "main.Map[int]", "main.Map[...]", "main.(*Set[go.shape.int]).Add",
    "main.work.func1", "runtime.main", "runtime.mallocgc", "net/http.(*conn).serve",
    "fmt.Fprint(f)",
    "encoding/json/v2.makeStructArshaler.func2", "std::vector<int>::push_back(int const&)", "näme",
    "operator()(x)", "type:.eq.[2]interface {}", "a/b.c/d.(*T).m-fm", "",
)  # fmt: skip
FILES = (
    "/srv/a.go",
    "/srv/../b.go",
    "rel/./c.go",
    "",
    "/proc/self/cwd/d.go",
    "//x//y.go",
    "../up.go",
)
BINARIES = ("/usr/bin/orders", "/lib/libc.so.6", "", "[vdso]")
TYPES = (
    (("alloc_objects", "count"), ("alloc_space", "bytes"),
     ("inuse_objects", "count"), ("inuse_space", "bytes")),
    (("samples", "count"), ("cpu", "nanoseconds")),
    (("contentions", "count"), ("delay", "nanoseconds")),
    (("goroutine", "count"),),
    (("space", "kB"), ("time", "ms"), ("fuel", "litres"), ("power", "milligcu")),
    (("space", "kb"), ("time", "us"), ("objects", "")),
)  # fmt: skip
DROPS = ("", "", "", "runtime\\..*", "main\\.work|.*Set.*", "no(t a pattern", "fmt.Fprint")


class RandomProfile:
    """A random profile; ``data`` is its encoded form."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.strings: dict[str, int] = {"": 0}
        self.profile = wire.Profile()
        self.types = self.chance.choice(TYPES)
        self._head()
        self._tables()
        self._samples()
        self.profile.string_table.extend(text.encode() for text in self.strings)
        self.data = self.profile.SerializeToString()

    def _text(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))

    def _head(self) -> None:
        chance, profile = self.chance, self.profile
        for name, unit in self.types:
            profile.sample_type.add(type=self._text(name), unit=self._text(unit))
        if chance.random() < 0.5:
            named = chance.choice([*(name for name, _ in self.types), "foreign"])
            profile.default_sample_type = self._text(named)
        if chance.random() < 0.7:
            profile.time_nanos = chance.randrange(10**18, 2 * 10**18)
        if chance.random() < 0.4:
            profile.duration_nanos = chance.randrange(1, 10 ** chance.randrange(1, 13))
        profile.drop_frames = self._text(chance.choice(DROPS))
        profile.keep_frames = self._text(chance.choice(("", "", "main.*")))
        for comment in chance.sample(("one comment", "#hidden", "two"), chance.randrange(3)):
            profile.comment.append(self._text(comment))

    def _tables(self) -> None:
        chance, profile = self.chance, self.profile
        for number in range(chance.randrange(4)):
            start = (number + 1) << 24
            profile.mapping.add(
                id=number + 1,
                memory_start=start,
                memory_limit=start + 0x5000,
                filename=self._text(chance.choice(BINARIES)),
                build_id=self._text(chance.choice(("", "cafe", "f00d"))),
            )
        for number in range(chance.randrange(1, 16)):
            name = chance.choice(NAMES)
            profile.function.add(
                id=number * chance.choice((1, 1, 1 << 40)) + 1 if number else 1,
                name=self._text(name),
                system_name=self._text(chance.choice((name, name, ""))),
                filename=self._text(chance.choice(FILES)),
                start_line=chance.choice((0, 0, 7)),
            )
            if profile.function[-1].id in [each.id for each in profile.function[:-1]]:
                del profile.function[-1]
        ids = [function.id for function in profile.function]
        for number in range(chance.randrange(1, 30)):
            location = profile.location.add(id=number + 1)
            location.address = chance.choice((0, 0x1000010 + number * 16, 0x2000020))
            if profile.mapping and chance.random() < 0.7:
                location.mapping_id = chance.choice(profile.mapping).id
            for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 3))):
                location.line.add(
                    function_id=chance.choice(ids),
                    line=chance.choice((0, 5, 6, 70)),
                    column=chance.choice((0, 0, 3)),
                )

    def _samples(self) -> None:
        chance = self.chance
        size = 10 ** chance.randrange(1, 13)
        negative = chance.random() < 0.3
        for _ in range(chance.randrange(1, 60)):
            depth = chance.choice((0, 1, 2, 3, 5, 8, 20))
            stack = [chance.choice(self.profile.location).id for _ in range(depth)]
            values = [chance.choice((0, 1, chance.randrange(size))) for _ in self.types]
            if negative and chance.random() < 0.5:
                values = [-value for value in values]
            self.profile.sample.add(location_id=stack, value=values, label=self._labels())

    def _labels(self) -> list[bytes]:
        chance = self.chance
        labels = []
        if chance.random() < 0.4:
            number = chance.choice((16, 1024))
            labels.append(wire.Label(key=self._text("bytes"), num=number))
        if chance.random() < 0.2:
            said = self._text(chance.choice(("a", "b")))
            labels.append(wire.Label(key=self._text("user"), str=said))
        chance.shuffle(labels)
        return [label.SerializeToString() for label in labels]
