"""Where the files of a model are: fetched, or in its folder, or beside the module's own file."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from picasso.errors import ModelError
from picasso.infer.files import Remote, provide, safe_part

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig
    from picasso.module.elements.models.block import Model


class ModelFiles:
    """The files of one model."""

    def __init__(self, model: Model, config: ModuleConfig) -> None:
        """Fetch what is to be fetched.

        Raises:
            ModelError: That cannot be done, or the element's name is no name of a folder.
            MissingDependencyError: What the address needs is not installed.
        """
        parameters = config.parameters
        self._folders: list[Path] = []
        part = safe_part(model.name, "element")
        if model.local_path is not None:
            self._folders.append(Path(model.local_path))
        else:
            self._folders.append(Path(str(parameters["model_path"])) / part)
        if model.remote is not None:
            remote = Remote(
                str(model.remote["url"]),
                model.remote.get("checksum_url"),
                bool(model.remote.get("always_check")),
                dict(model.remote.get("parameters") or {}),
            )
            provide(remote, Path(str(parameters["download_path"])) / part, self._folders[0], model.model_file)
        self._is_fetched = model.remote is not None
        if model.local_path is None or not Path(model.local_path).is_absolute():
            beside = [Path(folder) for folder in (config.folder, ".") if folder is not None]
            relative = Path(model.local_path or ".")
            self._folders += [folder / relative for folder in beside]

    def find(self, name: str) -> Path:
        """Return a file of the model by its name.

        It is looked for in the model's folder: ``local_path``, else ``model_path`` and the name of the element; where
        no absolute ``local_path`` is given also beside the module's file and in the working folder. Of what was
        fetched, a file of that name in a folder below is taken, too.

        Raises:
            ModelError: It is nowhere there.
        """
        folders = list(dict.fromkeys(folder.absolute() for folder in self._folders))
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
        if self._is_fetched and folders[0].is_dir():
            found = sorted(path for path in folders[0].rglob(glob.escape(Path(name).name)) if path.is_file())
            if len(found) == 1:
                return found[0]
        raise ModelError(f"{name} is not there; looked in {', '.join(map(str, folders))}")
