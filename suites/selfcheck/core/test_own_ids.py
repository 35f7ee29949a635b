"""Own ids look like any others, and their key recognizes them."""

from uuid import UUID, uuid4

import pytest

from fixtures.core.own_ids import SUBSCRIBER, UUID_KINDS, OwnIds
from fixtures.core.payloads import LIKE_FCM, LONGEST, NOT_ASCII, TOKEN_LIMIT, create_token

COUNT = 200


@pytest.fixture
def own_ids() -> OwnIds:
    return OwnIds()


@pytest.mark.parametrize("kind", UUID_KINDS)
def test_an_id_is_known_by_its_key_as_one_of_its_kind(own_ids: OwnIds, kind: str) -> None:
    ids = [own_ids.create_id(kind) for _ in range(COUNT)]
    assert len(set(ids)) == COUNT
    assert {(UUID(value).version, UUID(value).variant) for value in ids} == {(4, uuid4().variant)}
    assert all(own_ids.is_own_id(text, kind) for value in ids for text in (value, value.upper()))
    other_kinds = [other for other in UUID_KINDS if other != kind]
    assert not any(own_ids.is_own_id(value, *other_kinds) or OwnIds().is_own_id(value) for value in ids)


def test_no_other_id_is_own(own_ids: OwnIds) -> None:
    own_id = own_ids.create_id(SUBSCRIBER)
    changed = [f"{own_id[:-1]}{digit}" for digit in "0123456789abcdef" if digit != own_id[-1]]
    texts = [str(uuid4()), own_id + "0", own_id.replace("-", ""), f"{{{own_id}}}", "", *changed]
    assert not any(own_ids.is_own_id(text) for text in texts)


def test_a_token_is_known_in_each_of_its_forms(own_ids: OwnIds) -> None:
    uniques = [own_ids.create_token() for _ in range(COUNT)]
    assert {(len(unique), unique.isalnum()) for unique in uniques} == {(22, True)}
    tokens = [create_token(kind, unique) for kind in ("", LIKE_FCM, NOT_ASCII, LONGEST) for unique in uniques]
    assert len(set(tokens)) == len(tokens)
    assert max(map(len, tokens)) == TOKEN_LIMIT
    assert all(own_ids.is_own_token(token) for token in tokens)
    assert not any(own_ids.is_own_token(text) for text in ("", "z" * 22, "0" * 22, tokens[0][1:], "é" * 22))
    assert not any(OwnIds().is_own_token(token) for token in tokens)


def test_the_key_is_not_printed(own_ids: OwnIds) -> None:
    assert own_ids.key.hex() not in repr(own_ids)
    assert repr(own_ids.key) not in repr(own_ids)
