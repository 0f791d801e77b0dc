"""Two and a half thousand backups in one project, and every way to walk through them."""

import base64
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from strongroom import wait_for

COUNT = 2500


@pytest.fixture(scope="module")
def all_ids(server, http):
    """The ids of all backups: one that was made, and the rest imported as records of its bytes."""
    volume = http.create_volume(1, name="many")["id"]
    made = http.create_backup(volume, name="n-0000")["id"]
    record = http.ok("GET", f"backups/{made}/export_record")["backup-record"]
    inner = json.loads(base64.b64decode(record["backup_url"]))

    def adopt(number):
        twin = {**inner, "id": str(uuid.uuid4()), "display_name": f"n-{number:04}"}
        url = base64.b64encode(json.dumps(twin).encode()).decode()
        body = {"backup-record": {**record, "backup_url": url}}
        answer = http("POST", "backups/import_record", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["backup"]["id"]

    with ThreadPoolExecutor(8) as pool:
        ids = [made, *pool.map(adopt, range(1, COUNT))]
    wait_for(
        "all imports to be available",
        lambda: (
            http.ok("GET", "backups?status=available&with_count=True&limit=1")["count"] == COUNT
        ),
        timeout=240,
        interval=0.5,
    )
    return set(ids)


def follow(http, path):
    """The pages behind `path`, by their `next` links, as raw HTTP gives them."""
    pages = []
    while path:
        body = http.ok("GET", path)
        pages.append(body["backups"])
        links = body.get("backups_links", [])
        assert [link["rel"] for link in links] in ([], ["next"])
        path = links[0]["href"] if links else None
        assert len(pages) <= COUNT + 1, "the links run in a circle"
    return pages


def once_each(pages, all_ids):
    """Whether the pages hold every backup once."""
    ids = [backup["id"] for page in pages for backup in page]
    assert len(ids) == len(set(ids)), "doubled rows"
    assert set(ids) == all_ids, "lost rows"


@pytest.mark.parametrize("limit", [7, 100, 999, 1000])
@pytest.mark.parametrize("collection", ["backups", "backups/detail"])
def test_following_next_links(http, all_ids, collection, limit):
    pages = follow(http, f"{collection}?limit={limit}")
    once_each(pages, all_ids)
    assert all(len(page) == limit for page in pages[:-1])
    has_status = "status" in pages[0][0]
    assert has_status == (collection == "backups/detail"), "a next link changed the collection"


def test_no_limit_means_the_cap_and_a_next_link(http, all_ids):
    assert [len(page) for page in follow(http, "backups")] == [1000, 1000, 500]
    assert [len(page) for page in follow(http, "backups?limit=5000")] == [1000, 1000, 500]


def test_a_next_link_keeps_the_query(http, all_ids):
    body = http.ok("GET", "backups?limit=10&sort=name:asc&status=available")
    query = parse_qs(urlsplit(body["backups_links"][0]["href"]).query)
    assert query["limit"] == ["10"] and query["sort"] == ["name:asc"]
    assert query["status"] == ["available"]
    assert query["marker"] == [body["backups"][-1]["id"]]


@pytest.mark.parametrize(
    "sort", ["name:asc", "name:desc", "created_at:asc", "size", "status,id:asc"]
)
def test_markers_in_any_order(http, all_ids, sort):
    pages = follow(http, f"backups/detail?limit=333&sort={sort}")
    once_each(pages, all_ids)
    if sort.startswith("name"):
        names = [backup["name"] for page in pages for backup in page]
        assert names == sorted(names, reverse=sort.endswith("desc"))


@pytest.mark.parametrize("limit", [250, 617, 1000])
def test_offsets(http, all_ids, limit):
    pages, offset = [], 0
    while page := http.ok("GET", f"backups?limit={limit}&offset={offset}")["backups"]:
        pages.append(page)
        offset += limit
    once_each(pages, all_ids)
    assert http.ok("GET", f"backups?offset={COUNT}") == {"backups": []}


def test_links_of_an_offset_lose_nothing(http, all_ids):
    pages = follow(http, "backups?limit=500&offset=1000")
    ids = [backup["id"] for page in pages for backup in page]
    assert len(ids) == len(set(ids)) == COUNT - 1000


def test_with_count_is_the_total(http, all_ids):
    for path in ("backups?limit=3", "backups/detail?limit=3&offset=2400", "backups?limit=0"):
        assert http.ok("GET", f"{path}&with_count=True")["count"] == COUNT, path
    some = http.ok("GET", "backups?with_count=True&name~=n-12&limit=5")
    assert (some["count"], len(some["backups"])) == (100, 5)


def test_openstacksdk_walks_through_all(admin, all_ids):
    with admin.sdk() as cloud:
        for limit in (None, 400):
            query = {"limit": limit} if limit else {}
            ids = [backup.id for backup in cloud.block_storage.backups(details=False, **query)]
            assert len(ids) == COUNT and set(ids) == all_ids


def test_cinderclient_walks_through_all(admin, all_ids):
    ids = [backup.id for backup in admin.cinderclient().backups.list(limit=None)]
    assert len(ids) == COUNT and set(ids) == all_ids


def test_a_row_deleted_between_two_pages_shifts_nothing(http, all_ids):
    first = http.ok("GET", "backups?limit=100&sort=name:asc")
    ids = [backup["id"] for backup in first["backups"]]
    doomed = ids[50]
    http.delete("backups", doomed)
    all_ids.discard(doomed)
    following = http.ok("GET", first["backups_links"][0]["href"])
    assert following["backups"][0]["name"] == "n-0100"


def test_a_marker_that_is_gone_is_404(http, all_ids):
    answer = http("GET", f"backups?marker={uuid.uuid4()}")
    assert answer.status_code == 404
    assert "could not be found" in answer.json()["itemNotFound"]["message"]
