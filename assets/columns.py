"""Arrow columns of the shapes that this program declares, so that no shape is declared twice."""

from functools import cache
from typing import Any

import pyarrow as pa
from msgspec import inspect

TEXT = pa.string()
DAY = pa.date32()
INSTANT = pa.timestamp("us", tz="UTC")


@cache
def columns_of(shape: type[Any], without: tuple[str, ...] = ()) -> pa.Schema:
    """One column per field of a struct, dataclass or named tuple, in their order; fields `without` one are left out."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType | inspect.DataclassType | inspect.NamedTupleType)
    return pa.schema([(field.name, _arrow_type(field.type)) for field in info.fields if field.name not in without])


def _arrow_type(info: inspect.Type) -> pa.DataType:
    match info:
        case inspect.UnionType(types=types):
            return _arrow_type(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.StructType(fields=fields):
            return pa.struct([(field.name, _arrow_type(field.type)) for field in fields])
        case inspect.ListType(item_type=item):
            return pa.list_(_arrow_type(item))
        case inspect.DateTimeType():
            return INSTANT
        case inspect.DateType():
            return DAY
        case inspect.StrType() | inspect.EnumType():
            return TEXT
        case inspect.BoolType():
            return pa.bool_()
        case inspect.IntType():
            return pa.int64()
    raise TypeError(f"no Arrow type for {info}")
