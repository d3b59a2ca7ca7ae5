"""What was imported, kept: the file itself in the landing, and a manifest that says by whom, how and why.

`landing/<organization>/imports/<day>-<first 12 of the sha256>/`; the file never changes, each import of it is one more
entry in its manifest.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from assets.errors import WrongUse
from assets.extraction.landing import MANIFEST
from assets.files.atomic import whole_file
from assets.files.publishing import told_in_words, writing
from assets.layout import IMPORTS, DataDirectory
from assets.snapshots.ending import Derived, Loading
from assets.snapshots.imported.importing import Target, importing
from assets.snapshots.imported.mapping import Mapping
from assets.snapshots.imported.sheet import read_sheet


class Import(Struct, frozen=True, kw_only=True):
    """One time that the file was imported."""

    imported_at: datetime
    run: str
    reason: str | None
    mapping: Mapping


class ImportManifest(Struct, frozen=True, kw_only=True):
    """What a kept file is; `size` is in bytes, the latest import stands last."""

    organization_id: str
    day: date
    file: str
    sha256: str
    size: int
    imports: list[Import]


@dataclass(frozen=True)
class Kept:
    """A file in the landing."""

    folder: Path
    manifest: ImportManifest

    @property
    def file(self) -> Path:
        return self.folder / self.manifest.file

    @property
    def place(self) -> str:
        """What a run is told to import: <organization>/<folder>."""
        return f"{self.manifest.organization_id}/{self.folder.name}"

    @property
    def target(self) -> Target:
        """What its latest import is for."""
        latest = self.manifest.imports[-1]
        manifest = self.manifest
        return Target(manifest.organization_id, manifest.day, self.folder.name, latest.imported_at, latest.run)


def target_of(path: Path, organization_id: str, day: date, imported_at: datetime, run_id: str) -> Target:
    """What an import of the file is for, before it is kept."""
    return Target(organization_id, day, _name(day, digest(path)), imported_at, run_id)


def keep(path: Path, target: Target, mapping: Mapping, reason: str | None, data: DataDirectory) -> Kept:
    """Copy the file into the landing, unless it is there already, and enter this import in its manifest.

    Raises:
        WrongUse: it is no longer the file that `target` was made of.
    """
    content = path.read_bytes()
    hexadecimal = sha256(content).hexdigest()
    if target.kept != _name(target.day, hexadecimal):
        raise WrongUse(f"{path.name} has changed since it was read: nothing was imported. Run it again.")
    folder = _folder(data, target.organization_id, target.kept)
    entry = Import(imported_at=target.imported_at, run=target.run_id, reason=reason, mapping=mapping)
    with told_in_words(f"{path.name} could not be kept"), writing(data):
        known = _manifest(folder)
        if known is None:
            name = path.name if path.name != MANIFEST else f"imported-{MANIFEST}"
            with whole_file(folder / name) as place:
                place.write_bytes(content)
            known = ImportManifest(
                organization_id=target.organization_id,
                day=target.day,
                file=name,
                sha256=hexadecimal,
                size=len(content),
                imports=[],
            )
        manifest = msgspec.structs.replace(known, imports=[*known.imports, entry])
        with whole_file(folder / MANIFEST) as place:
            place.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    return Kept(folder, manifest)


def read_kept(data: DataDirectory, place: str) -> Kept:
    """A kept file by its `place`.

    Raises:
        WrongUse: there is none of that name, or the file is no longer what was kept.
    """
    organization_id, _, name = place.partition("/")
    folder = _folder(data, organization_id, name)
    manifest = _manifest(folder)
    if manifest is None or (found := Kept(folder, manifest)).place != place:
        raise WrongUse(f"No imported file {place} is kept here: name it <organization>/<day>-<first 12 of its sha256>.")
    with suppress(FileNotFoundError):
        if digest(found.file) == manifest.sha256:
            return found
    raise WrongUse(f"{found.file} is not the file that was imported (its sha256 differs): nothing was done.")


def stage_kept(kept: Kept, data: DataDirectory, staged: DataDirectory, loading: Loading, *, replace: bool) -> Derived:
    """Stage the snapshot that a kept file tells, unless the same is published already.

    Raises:
        WrongUse: the file is refused, or the day has a stronger snapshot and `replace` was not asked for.
    """
    target = kept.target._replace(run_id=loading.run_id)
    mapping = kept.manifest.imports[-1].mapping
    with importing(read_sheet(kept.file), mapping, target, data, kept.manifest.file) as imported:
        imported.require_right_of_way(data, replace=replace)
        return imported.stage(data, staged, loading)


def digest(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    return sha256(path.read_bytes()).hexdigest()


def _name(day: date, hexadecimal: str) -> str:
    return f"{day}-{hexadecimal[:12]}"


def _folder(data: DataDirectory, organization_id: str, kept: str) -> Path:
    return data.landings / organization_id / IMPORTS / Path(kept).name


def _manifest(folder: Path) -> ImportManifest | None:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=ImportManifest)
    except FileNotFoundError:
        return None
