"""Any number of threads use a store and its sessions at once."""

import sys
import threading

import pytest

import tgsession_store as t
from tgsession_store import Entity, Store

THREADS, EACH = 8, 150


def together(*works):
    """Runs all at once, and raises the first exception of any."""
    failed, start = [], threading.Barrier(len(works))

    def run(work):
        try:
            start.wait()
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if failed:
        raise failed[0]


@pytest.fixture(autouse=True)
def switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def test_threads_write_and_read_one_session(store):
    session = store.session("a")

    def writer(number):
        def work():
            for n in range(EACH):
                id = 1 + number * EACH + n
                session.process_entities([Entity(id, "user", id, usernames=(f"user{id}",))])
                assert session.by_username(f"user{id}").id == id
                if n % 50 == 0:
                    session.flush()

        return work

    together(*(writer(number) for number in range(THREADS)))
    assert session.entity_count() == THREADS * EACH
    assert store.check().problems == ()


def test_look_ups_go_on_while_others_flush_back_up_and_check(store, tmp_path):
    session = store.session("a")
    session.process_entities([Entity(id, name=f"n{id}") for id in range(1, 1001)])
    done = threading.Event()

    def slow():
        try:
            for n in range(3):
                session.process_entities([Entity(2000 + n, name="x" * 1000)])
                store.flush()
                store.backup(tmp_path / f"copy{n}")
                assert store.check().problems == ()
                assert session.by_name("n1000").id == 1000
                store.dump("a")
        finally:
            done.set()

    looked_up = 0

    def looking():
        nonlocal looked_up
        while not done.is_set():
            assert session.entity(500).name == "n500"
            looked_up += 1

    together(slow, looking)
    assert looked_up > 100


def test_closing_while_others_work(path):
    for _ in range(5):
        store = Store.open(path)
        session = store.session("a")

        def working():
            try:
                while True:
                    session.process_entities([Entity(1, name="x")])
                    session.entity(1)
                    session.flush()
            except t.ClosedError:
                pass

        together(working, working, working, store.close)
    with Store.open(path) as store:
        assert store.check().problems == ()


def test_the_interpreter_runs_while_a_call_waits_for_the_disk(store):
    """A counter goes on in another thread while this one flushes."""
    session, stop, count = store.session("a"), threading.Event(), 0

    def counting():
        nonlocal count
        while not stop.is_set():
            count += 1

    def flushing():
        try:
            for id in range(1, 20_001):
                session.set_user(id)  # one sync each
                if id >= 100 and count > 100:
                    break
        finally:
            stop.set()

    together(counting, flushing)
    assert count > 100
