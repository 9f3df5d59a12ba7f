"""Where the files of a model come from: a folder, or an address that they are fetched from; what may be loaded."""

from picasso.infer.files.formats import check_format
from picasso.infer.files.labels import read_labels
from picasso.infer.files.place import Remote, provide, safe_part

__all__ = ["Remote", "check_format", "provide", "read_labels", "safe_part"]
