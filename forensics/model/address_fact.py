"""What files say of the addresses in the evidence, and the account of these files."""

from __future__ import annotations

from forensics.model.columns import table

ADDRESS_FACT = table(
    "address_fact",
    "What the files about addresses say of the public addresses in the evidence. Computed anew, never evidence itself.",
    """
source_ip VARCHAR address, canonical
fact VARCHAR country (of registration), asn, as_name, city, geo_country, aws_service, aws_region, tor, hosting, and the place: earth_x_km, earth_y_km, earth_z_km (whole kilometres from the centre of the earth) and radius_km (how far off it may be)
value VARCHAR as the file says it; for tor and hosting the entry of the list that holds the address
file_sha256 VARCHAR file that says it
file_name VARCHAR its name
dated TIMESTAMP date that the file states; NULL when it states none
""",
)

ADDRESS_SOURCE = table(
    "address_source",
    "Files about addresses, and how each was used when the facts were computed.",
    """
file_sha256 VARCHAR file
file_name VARCHAR its name
exhibit VARCHAR its exhibit number
source_id VARCHAR reference_registry, reference_mmdb, reference_aws_ranges, reference_tor, reference_hosting
dated TIMESTAMP date that the file states; NULL when it states none
covers JSON list of the facts it can give
entries BIGINT entries that could be used; of an MMDB: addresses that it holds
faults BIGINT entries that could not be used; of an MMDB: addresses that it could not answer
first_fault VARCHAR the first of these; NULL without any
problem VARCHAR why nothing of it was used: its copy is gone or changed; NULL when it was used
""",
)
ADDRESS_TABLES = (ADDRESS_FACT, ADDRESS_SOURCE)
