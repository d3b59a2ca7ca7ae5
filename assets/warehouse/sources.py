"""Where the code of the relations stands, as Dagster links to it."""

import dagster as dg

from assets.warehouse.relations import Relation


def code_reference(relation: Relation) -> dg.CodeReferencesMetadataValue:
    """The relation's `.sql` file, for its metadata `dagster/code_references`."""
    file = dg.LocalFileCodeReference(file_path=str(relation.path), line_number=1, label=relation.path.name)
    return dg.CodeReferencesMetadataValue(code_references=[file])
