"""Where the values of settings stand: environment variables, a file `.env`, files of secrets.

The environment wins over `.env`. A name counts in any case of letters, and an empty value is as
none: that is what `NAME=` means in `.env`, and what docker compose hands on for it. A secret can
also stand in a file of its own, named by the setting's name with `_FILE` at the end, as Docker and
Kubernetes mount them; whoever asks for such a secret gets what the file holds then.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, get_args

from dotenv import dotenv_values
from pydantic import SecretStr, ValidatorFunctionWrapHandler, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

FILE_SUFFIX = "_FILE"
ENV_FILE = Path(".env")

# Not settings, and none of a person's doing: the tests' own variables, and what Kubernetes gives
# every container of a namespace for a Service whose name begins with claim-analytics.
FOREIGN = re.compile(r"TEST_.*|(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_.*)?)")


class SettingSourceWrong(Exception):
    """A file that should hold settings, or a secret, cannot be used; the text says which and why.

    It quotes nothing of what the file holds, nor a variable's value.
    """


class FileSecret(SecretStr):
    """A secret in a file, which is read each time that somebody asks for the secret: so it can be
    changed while the process runs.

    `variable` is what names the file. Raises SettingSourceWrong, at first and whenever it is asked
    for, unless the file can be read and holds something.
    """

    def __init__(self, file: Path, variable: str) -> None:
        self._file, self._variable = file, variable
        super().__init__(self.get_secret_value())

    def get_secret_value(self) -> str:
        if secret := _secret_in(self._file, self._variable):
            return secret
        raise SettingSourceWrong(f"{self._variable}: the file is empty.")


class Variable(NamedTuple):
    """A value that is not empty, and where it stands: `environment`, `.env` or `file`."""

    value: str
    source: str


class Given(NamedTuple):
    """A setting's value, and where it comes from: as a Variable's."""

    value: str | FileSecret
    source: str


class SourcedSettings(BaseSettings):
    """A base for settings that are read from here alone; their names begin with `env_prefix`."""

    @field_validator("*", mode="wrap")
    @classmethod
    def _kept_as_file(cls, value: object, handler: ValidatorFunctionWrapHandler) -> object:
        """What is made of it would be a copy of what the file holds today."""
        checked = handler(value)
        return value if isinstance(value, FileSecret) else checked

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Sources(settings_cls)


class _Sources(PydanticBaseSettingsSource):
    """Gives a settings class its values by field names. Raises SettingSourceWrong."""

    def __call__(self) -> dict[str, Any]:
        return {name: found.value for name, found in values_of(self.settings_cls).items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Part of the base class's interface, for sources that look up field by field."""
        raise NotImplementedError


def values_of(settings: type[BaseSettings]) -> dict[str, Given]:
    """By field name, for the fields that have a value somewhere. Raises SettingSourceWrong."""
    given = _variables(_prefix(settings))
    found = {}
    for field in settings.model_fields:
        name = _prefix(settings) + field.upper()
        file = given.get(name + FILE_SUFFIX) if _is_secret(settings, field) else None
        if name in given and file:
            raise SettingSourceWrong(f"{name} and {name}{FILE_SUFFIX} are both set; keep one.")
        if name in given:
            found[field] = Given(*given[name])
        elif file and _secret_in(path := Path(file.value), name + FILE_SUFFIX):
            found[field] = Given(FileSecret(path, name + FILE_SUFFIX), "file")
    return found


def warnings(settings: type[BaseSettings]) -> Iterator[str]:
    """What has no effect though somebody wrote it down: misspelt names, and a `.env` that is not
    read. No warning holds a value. Raises SettingSourceWrong."""
    if _has_env_file() and _others_can_write(ENV_FILE):
        yield (
            f"{ENV_FILE} is not read: others can write to it or to its folder, {Path.cwd()}."
            " Run the command in a folder that only you can write to (chmod o-w), or use the"
            " environment."
        )
    prefix = _prefix(settings)
    known = [name.removeprefix(prefix) for name in names(settings)]
    for variable, (_, source) in _variables(prefix).items():
        name = variable.removeprefix(prefix)
        if name not in known and not FOREIGN.fullmatch(name):
            nearest = get_close_matches(name, known, n=1)
            hint = f" Did you mean {prefix}{nearest[0]}?" if nearest else ""
            where = "the environment" if source == "environment" else source
            yield f"{variable} in {where} is no setting of this version and has no effect.{hint}"


def names(settings: type[BaseSettings]) -> list[str]:
    """Every variable that is read."""
    fields = {field: _prefix(settings) + field.upper() for field in settings.model_fields}
    files = [name + FILE_SUFFIX for field, name in fields.items() if _is_secret(settings, field)]
    return [*fields.values(), *files]


def _variables(prefix: str) -> dict[str, Variable]:
    """All that begin with the prefix, by their names in capital letters."""
    places: list[tuple[str, Mapping[str, str | None]]] = [("environment", os.environ)]
    if _has_env_file() and not _others_can_write(ENV_FILE):
        places.insert(0, (".env", _env_file()))
    return {
        name.upper(): Variable(value, source)
        for source, values in places
        for name, value in values.items()
        if value and name.upper().startswith(prefix)
    }


def _has_env_file() -> bool:
    try:
        return ENV_FILE.is_file()
    except PermissionError:  # started as another user, in a folder that is closed to this one
        return False


def _env_file() -> Mapping[str, str | None]:
    _read(ENV_FILE, str(ENV_FILE))
    return dotenv_values(ENV_FILE)


def _secret_in(file: Path, variable: str) -> str:
    return _read(file, variable).rstrip("\r\n")


def _read(file: Path, name: str) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise SettingSourceWrong(f"{name}: the file cannot be read ({error.strerror}).") from None
    except ValueError:  # not UTF-8, or no path at all
        raise SettingSourceWrong(f"{name}: the file cannot be read (it is not UTF-8).") from None


def _others_can_write(file: Path) -> bool:
    """Any user of the machine could have put the file there, or changed it. The sticky bit of /tmp
    keeps files from being removed by others, not from being made by them."""
    return any(path.stat().st_mode & stat.S_IWOTH for path in (file, file.absolute().parent))


def _prefix(settings: type[BaseSettings]) -> str:
    return settings.model_config["env_prefix"]


def _is_secret(settings: type[BaseSettings], field: str) -> bool:
    annotation = settings.model_fields[field].annotation
    return annotation is SecretStr or SecretStr in get_args(annotation)
