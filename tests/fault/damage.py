"""Ways to damage a data directory: one byte, the end of a file, a whole file, a row."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE, WAL_HEADER, FRAME_HEADER = 4096, 32, 24  # bytes, of SQLite's files


@dataclass(frozen=True)
class Damage:
    """What is done to one file; `region` says in words where that is."""

    file: str  # below the directory
    region: str
    kind: str  # flip, cut, zero or remove
    at: int = 0

    def do(self, folder: Path) -> None:
        path = folder / self.file
        if self.kind == "remove":
            path.unlink()
            return
        data = bytearray(path.read_bytes())
        if self.kind == "flip":
            data[self.at] ^= 1 << (self.at % 8)
        elif self.kind == "cut":
            del data[self.at :]
        else:
            data[self.at : self.at + 512] = bytes(len(data[self.at : self.at + 512]))
        path.write_bytes(data)

    def __str__(self) -> str:
        return f"{self.kind} {self.file}:{self.at} ({self.region})"


@dataclass(frozen=True)
class RowDamage:
    """One bit of what a row of the database has in it is flipped."""

    table: str
    uid: str
    number: int
    id: str

    def do(self, folder: Path) -> None:
        key = "uid = ? AND number = ? AND id = ?"
        with _database(folder) as database, database:
            row = (self.uid, self.number, self.id)
            select = f"SELECT content FROM {self.table} WHERE {key}"
            content = bytearray(database.execute(select, row).fetchone()[0])
            content[len(content) // 2] ^= 1
            update = f"UPDATE {self.table} SET content = ? WHERE {key}"
            assert database.execute(update, (bytes(content), *row)).rowcount == 1

    def __str__(self) -> str:
        return f"{self.table}({self.uid}, {self.number}, {self.id})"


def rows(folder: Path) -> list[RowDamage]:
    """One for each row of every table that has something in it."""
    with _database(folder) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema")]
        return [
            RowDamage(table, *row)
            for table in tables
            for row in database.execute(f"SELECT uid, number, id FROM {table} WHERE content != ''")
        ]


def _database(folder: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(folder / "prospero.db"))


def damages(folder: Path, chance: random.Random) -> list[Damage]:
    """One or more for every region of every file."""
    found = []
    for path in sorted(folder.rglob("*")):
        file = str(path.relative_to(folder))
        size = path.stat().st_size
        if not path.is_file() or size == 0 or path.name.endswith("-shm"):
            continue
        for region, first, last in _regions(path):
            if first < min(last, size):
                at = chance.randrange(first, min(last, size))
                found.append(Damage(file, region, "flip", at))
        found.append(Damage(file, "the end", "cut", chance.randrange(size)))
        found.append(Damage(file, "a sector", "zero", chance.randrange(size) // 512 * 512))
        found.append(Damage(file, "all of it", "remove"))
    return found


def some(found: list[Damage], count: int, chance: random.Random) -> list[Damage]:
    """About so many of them: regions with the same words take turns."""
    by_region: dict[tuple[str, str, str], list[Damage]] = {}
    for damage in found:
        kind = Path(damage.file).suffix
        by_region.setdefault((kind, damage.region, damage.kind), []).append(damage)
    for each in by_region.values():
        chance.shuffle(each)
    taken: list[Damage] = []
    while len(taken) < min(count, len(found)):
        taken += [each.pop() for each in by_region.values() if each]
    return taken


def _regions(path: Path) -> Iterator[tuple[str, int, int]]:
    """(what it is, first byte, one more than the last)."""
    size = path.stat().st_size
    if path.name.endswith("-wal"):
        yield "header", 0, WAL_HEADER
        for frame in range(WAL_HEADER, size, FRAME_HEADER + PAGE):
            page = frame + FRAME_HEADER
            yield "header of a frame", frame, page
            yield "page of a frame", page, page + PAGE
    elif path.suffix == ".db":
        yield "header", 0, 100
        for page in range(0, size, PAGE):
            yield "head of a page", page, page + 8
            yield "pointers of a page", page + 8, page + 40
            yield "cells of a page", page + PAGE // 2, page + PAGE
            yield "end of a page", page + PAGE - 64, page + PAGE
    elif path.suffix == ".safetensors":
        yield from _regions_of_snapshot(path)
    else:
        yield "somewhere", 0, size


def _regions_of_snapshot(path: Path) -> Iterator[tuple[str, int, int]]:
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    begin = 8 + length
    yield "length", 0, 8
    header = json.loads(data[8:begin])
    for key in header.pop("__metadata__"):
        at = data.index(f'"{key}"'.encode())
        yield "metadata", at, at + len(key) + 6
    for name, array in header.items():
        at = data.index(f'"{name}"'.encode())
        yield "header of an array", at, at + len(name) + 20
        first, last = array["data_offsets"]
        yield "an array", begin + first, begin + last
