"""Makes rows.parquet with pyarrow: three row groups, zstd and snappy, a missing text."""
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table({"id": [1, 2, 3, 4, 5], "text": ["first row", "zweite Zeile ☃", None, "", "fifth " * 20]})
pq.write_table(table, Path(__file__).parent / "rows.parquet", row_group_size=2, compression={"id": "snappy", "text": "zstd"})
