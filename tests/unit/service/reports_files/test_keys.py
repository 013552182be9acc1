import base64
from datetime import date

import pytest

from service.reports.files.encryption import new_file_key
from service.reports.files.file_errors import FileDamaged, KeySettingWrong, MasterKeyUnknown
from service.reports.files.keys import (
    Keyring,
    WrappedKey,
    new_master_key,
    with_primary,
    without,
)

DAY = date(2026, 7, 29)
PATH = "reports/p/r.1.pdf.enc"
KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def test_a_wrapped_key_opens_for_its_file() -> None:
    keyring = Keyring.parse(f"a:{KEY}")
    file_key = new_file_key()

    assert keyring.unwrap(keyring.wrap(file_key, PATH), PATH) == file_key


def test_a_wrapped_key_does_not_contain_the_key() -> None:
    file_key = new_file_key()

    wrapped = Keyring.parse(f"a:{KEY}").wrap(file_key, PATH)

    assert file_key[-32:] not in wrapped.ciphertext


def test_a_wrapped_key_opens_for_no_other_file() -> None:
    keyring = Keyring.parse(f"a:{KEY}")
    wrapped = keyring.wrap(new_file_key(), PATH)

    with pytest.raises(FileDamaged, match=r"r\.2\.pdf\.enc"):
        keyring.unwrap(wrapped, "reports/p/r.2.pdf.enc")


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_changed_wrapped_key_does_not_open(position: int) -> None:
    keyring = Keyring.parse(f"a:{KEY}")
    changed = bytearray(keyring.wrap(new_file_key(), PATH).ciphertext)
    changed[position] ^= 1

    with pytest.raises(FileDamaged):
        keyring.unwrap(WrappedKey("a", bytes(changed)), PATH)


def test_an_empty_wrapped_key_does_not_open() -> None:
    with pytest.raises(FileDamaged):
        Keyring.parse(f"a:{KEY}").unwrap(WrappedKey("a", b""), PATH)


def test_another_master_key_under_the_same_id_does_not_open() -> None:
    wrapped = Keyring.parse(f"a:{KEY}").wrap(new_file_key(), PATH)

    with pytest.raises(FileDamaged, match="another master key"):
        Keyring.parse(f"a:{OTHER_KEY}").unwrap(wrapped, PATH)


def test_the_first_key_wraps() -> None:
    assert Keyring.parse(f"b:{OTHER_KEY},a:{KEY}").wrap(b"x", PATH).key_id == "b"


def test_after_a_rotation_old_files_open() -> None:
    old = new_master_key(DAY)
    wrapped = Keyring.parse(old).wrap(b"secret", PATH)

    rotated = Keyring.parse(with_primary(old, new_master_key(DAY)))

    assert rotated.unwrap(wrapped, PATH) == b"secret"


def test_a_rewrapped_key_opens_without_the_old_master_key() -> None:
    old, new = f"old:{KEY}", f"new:{OTHER_KEY}"
    wrapped = Keyring.parse(old).wrap(b"secret", PATH)

    rewrapped = Keyring.parse(with_primary(old, new)).rewrap(wrapped, PATH)

    assert Keyring.parse(new).unwrap(rewrapped, PATH) == b"secret"


def test_the_old_master_key_alone_opens_nothing_that_was_rewrapped() -> None:
    old, new = f"old:{KEY}", f"new:{OTHER_KEY}"
    wrapped = Keyring.parse(old).wrap(b"secret", PATH)
    rewrapped = Keyring.parse(with_primary(old, new)).rewrap(wrapped, PATH)

    with pytest.raises(MasterKeyUnknown, match=r"new.*hold only old"):
        Keyring.parse(old).unwrap(rewrapped, PATH)
    with pytest.raises(FileDamaged):
        Keyring.parse(old).unwrap(WrappedKey("old", rewrapped.ciphertext), PATH)


def test_rewrapping_under_the_primary_changes_nothing() -> None:
    keyring = Keyring.parse(f"a:{KEY}")
    wrapped = keyring.wrap(b"secret", PATH)

    assert keyring.rewrap(wrapped, PATH) is wrapped


def test_a_new_master_key_bears_its_day_and_is_never_the_same() -> None:
    first, second = new_master_key(DAY), new_master_key(DAY)

    assert first.startswith("2026-07-29.")
    assert first.split(":")[1] != second.split(":")[1]


def test_entries_may_stand_on_lines() -> None:
    assert Keyring.parse(f"\n b:{KEY}\n a:{OTHER_KEY}\n").key_ids == ("b", "a")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("", "keys new"),
        (" , ", "keys new"),
        (KEY, "master key 1 is not of the form id:base64"),
        (f":{KEY}", "master key 1 is not of the form"),
        (f"{'x' * 33}:{KEY}", "master key 1 is not of the form"),
        (f"a:{KEY},b:{KEY[:-2]}", r"master key 2 \(b\) is not base64"),
        ("a:" + base64.b64encode(b"short").decode(), "has 5 bytes instead of 32"),
        (f"a:{KEY},a:{OTHER_KEY}", "a stands twice"),
    ],
)
def test_a_wrong_setting_says_what_is_wrong(setting: str, says: str) -> None:
    with pytest.raises(KeySettingWrong, match=says) as refused:
        Keyring.parse(setting)
    assert KEY[:20] not in str(refused.value)


def test_a_key_that_is_not_the_primary_can_be_dropped() -> None:
    assert without(f"b:{OTHER_KEY} a:{KEY}", "a") == f"b:{OTHER_KEY}"


def test_the_primary_cannot_be_dropped() -> None:
    with pytest.raises(KeySettingWrong, match="is the primary"):
        without(f"b:{OTHER_KEY},a:{KEY}", "b")


def test_a_key_that_is_not_there_cannot_be_dropped() -> None:
    with pytest.raises(KeySettingWrong, match="no master key c; there are b, a"):
        without(f"b:{OTHER_KEY},a:{KEY}", "c")


def test_an_id_cannot_be_used_for_a_second_key() -> None:
    with pytest.raises(KeySettingWrong, match="stands twice"):
        with_primary(f"a:{KEY}", f"a:{OTHER_KEY}")


def test_neither_keyring_nor_wrapped_key_shows_a_key() -> None:
    keyring = Keyring.parse(f"a:{KEY}")

    shown = repr(keyring) + repr(vars(keyring)) + repr(keyring.wrap(b"secret", PATH))

    assert KEY not in shown
    assert "kkkk" not in shown
    assert "ciphertext" not in shown
