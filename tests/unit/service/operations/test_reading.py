"""What of a topic is unread, from offsets alone."""

from service.operations.reading import Asked, Unread

ASKED = Asked(
    first={("paid", 0): 0, ("paid", 1): 40, ("paid", 2): 7, ("other", 0): 0},
    until={("paid", 0): 10, ("paid", 1): 50, ("paid", 2): 7, ("other", 0): 5},
)


def test_a_partition_is_unread_from_its_stored_offset_on() -> None:
    stored = {("paid", 0): 4, ("paid", 1): 50, ("other", 0): 0}
    assert ASKED.unread(stored, ["paid"]) == [Unread("paid", 0, 4, 10, 6)]


def test_one_that_was_never_read_is_unread_from_what_the_broker_still_has() -> None:
    """Partition 2 is empty: all that it ever held was deleted."""
    unread = ASKED.unread({("paid", 0): 10}, ["paid"])
    assert unread == [Unread("paid", 1, None, 50, 10)]


def test_what_was_deleted_before_it_was_read_does_not_count_as_waiting() -> None:
    assert ASKED.unread({("paid", 0): 10, ("paid", 1): 3}, ["paid"]) == [
        Unread("paid", 1, 3, 50, 10)
    ]


def test_more_than_was_asked_for_may_be_stored() -> None:
    stored = {("paid", 0): 99, ("paid", 1): 99}
    assert ASKED.unread(stored, ["paid"]) == []
