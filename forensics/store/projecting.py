"""Write CloudTrail records that are new: their rows, what they name and the credentials they handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from forensics.model.address import read_address
from forensics.model.times import parse_time
from forensics.store import projection, projection_children
from forensics.store.large_records import bounded, room_for

if TYPE_CHECKING:
    from forensics.store.statements import Statements

#: Records that are projected at once, about.
SLICE = 30_720
#: From so many records on plans are kept: they are made for every service, not only for those that occur.
MANY = 4_096


class Projecting:
    """Projects records by the statements of one writer."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def keep(self, incoming: pa.Table, lines: pa.ChunkedArray) -> None:
        """Project these lines of the records, some ten thousand at a time: that bounds the memory."""
        marked = _marked(incoming, lines)
        size = -(-marked.num_rows // max(1, round(marked.num_rows / SLICE))) or 1
        for start in range(0, marked.num_rows, size):
            for piece in bounded(marked.slice(start, size)):
                with room_for(self._statements.connection, piece):
                    self._project(piece)

    def _project(self, incoming: pa.Table) -> None:
        put, run, often = self._statements.put, self._statements.run, incoming.num_rows >= MANY
        shaped = incoming if "raw" not in incoming.column_names else self._shaped(incoming, often)
        shaped = shaped.select(sorted(shaped.column_names))  # a plan is kept for one order of columns
        put("identity_text", pa.table({"text": pc.unique(_part(shaped, "userIdentity")).drop_null()}))
        identities = self._statements.table(projection.IDENTITIES, often=often)
        put("identity_form", identities)
        put("time_form", _times(shaped, identities))
        put("address_form", _addresses(shaped))
        put("shaped", shaped)
        written = run(f"INSERT INTO aws_event {projection.PROJECT_AWS_EVENT}", often=often).fetchall()[0][0]
        if written != pc.sum(shaped.column("is_new")).as_py():
            raise RuntimeError(f"{written} events were written")  # nothing is committed
        self._name(shaped, often)
        may_issue = pc.match_substring(_part(shaped, "responseElements"), '"accessKeyId"')
        issuing = shaped.filter(pc.and_(may_issue, shaped.column("is_new")))
        if issuing.num_rows:
            put("issuing", issuing)
            run(f"INSERT INTO credential {projection_children.PROJECT_CREDENTIALS}", often=often)

    def _shaped(self, incoming: pa.Table, often: bool) -> pa.Table:
        self._statements.put("incoming", incoming)
        return self._statements.table(projection.SHAPED, often=often)

    def _name(self, shaped: pa.Table, often: bool) -> None:
        """Write what records name. Plans that are made each time are made for the services that occur."""
        sources, resources = _part(shaped, "eventSource"), _part(shaped, "resources")
        of_service = pc.is_in(sources, pa.array(projection_children.HOSTS))
        columns = {
            "own_key": shaped.column("own_key"),
            "event_source": sources,
            "event_name": _part(shaped, "eventName"),
            "request": _part(shaped, "requestParameters"),
            "resources": resources,
        }
        naming = pa.table(columns).filter(pc.and_(pc.or_(of_service, pc.is_valid(resources)), shaped.column("is_new")))
        if not naming.num_rows:
            return
        self._statements.put("naming", naming)
        services = projection_children.SERVICES
        if not often:
            found = {
                source.partition(".")[0] for source in pc.unique(naming.column("event_source")).to_pylist() if source
            }
            services = tuple(service for service in services if service in found)
        self._statements.run(f"INSERT INTO aws_event_item {projection_children.named_items(services)}", often=often)


def _marked(incoming: pa.Table, lines: pa.ChunkedArray) -> pa.Table:
    """Return the records with `is_new`, which says whether their line is among `lines` (ascending).

    What is hardly more than the lines is not copied without the rest.
    """
    if 2 * len(lines) < incoming.num_rows:
        incoming, lines = incoming.take(lines), pa.chunked_array([pa.array(range(len(lines)), pa.int64())])
    numbers = pa.array(range(incoming.num_rows), pa.int64())
    return incoming.append_column("is_new", pc.is_in(numbers, lines))


def _part(shaped: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a part of the shape as texts."""
    part = pc.struct_field(shaped.column("s"), name)
    return part.cast(pa.string()) if isinstance(part.type, pa.BaseExtensionType) else part


def _times(shaped: pa.Table, identities: pa.Table) -> pa.Table:
    """Return the distinct texts of times whose form SQL must not guess, with the moment that Python makes of them."""
    made = pc.struct_field(identities.column("u"), ["sessionContext", "attributes", "creationDate"])
    texts = set()
    for column in (pc.coalesce(_part(shaped, "eventTime"), _part(shaped, "@timestamp")), made):
        usual = pc.match_substring_regex(column, f"^(?:{projection.TIME_FORM})$")
        texts |= set(pc.unique(column.filter(pc.invert(usual))).to_pylist())
    found = sorted(text for text in texts if text is not None)
    moments = pa.array([parse_time(text) for text in found], pa.timestamp("us"))
    return pa.table({"text": pa.array(found, pa.string()), "moment": moments})


def _addresses(shaped: pa.Table) -> pa.Table:
    """Return the distinct texts of addresses with what they are."""
    raws = pc.unique(_part(shaped, "sourceIPAddress")).drop_null()
    addresses = [read_address(raw) for raw in raws.to_pylist()]
    return pa.table(
        {
            "raw": raws,
            "text": pa.array([a.text for a in addresses], pa.string()),
            "ip_key": pa.array([a.key for a in addresses], pa.string()),
            "kind": pa.array([a.kind for a in addresses], pa.string()),
        }
    )
