"""Arrow columns that follow from a declared shape."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import pyarrow as pa
import pytest
from msgspec import Struct

from assets.columns import DAY, INSTANT, TEXT, columns_of


class Word(StrEnum):
    YES = "yes"


class Inner(Struct):
    id: str | None = None


class Outer(Struct):
    at: datetime
    day: date | None
    word: Word
    many: list[Inner]
    count: int = 0
    is_so: bool | None = None


def test_each_field_is_a_column_of_its_type_and_null_is_of_every_type():
    inner = pa.list_(pa.struct([("id", TEXT)]))
    columns = [("at", INSTANT), ("day", DAY), ("word", TEXT), ("many", inner), ("count", pa.int64())]
    assert columns_of(Outer) == pa.schema([*columns, ("is_so", pa.bool_())])


def test_fields_that_are_no_columns_are_left_out():
    assert columns_of(Outer, without=("many", "count", "is_so")).names == ["at", "day", "word"]


def test_a_dataclass_is_a_shape_too_and_a_type_without_a_column_is_refused():
    @dataclass
    class Odd:
        name: str
        odd: complex

    assert columns_of(Odd, without=("odd",)).names == ["name"]
    with pytest.raises(TypeError, match="no Arrow type"):
        columns_of(Odd)
