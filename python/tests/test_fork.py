"""A forked child never becomes a second writer."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest

import tgsession_store as t
from tgsession_store import Entity, Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

PEOPLE = [Entity(id, "user", id, name=f"Person {id}") for id in range(1, 2001)]


@pytest.fixture(autouse=True)
def fork_beside_threads():
    # The store's own thread is what these tests fork beside.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def in_child(work, seconds=30):
    """Forks, works in the child, and gives what it printed. A child that hangs is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writer, str(work()).encode())
            code = 0
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)
    os.close(writer)
    end = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.005)
    with os.fdopen(reader) as answer:
        return answer.read()


def test_every_call_of_a_child_is_refused(store):
    session = store.session("a")
    session.process_entities(PEOPLE[:5])
    calls = [
        lambda: session.process_entities(PEOPLE),
        lambda: session.entity(1),
        lambda: session.set_user(1),
        session.flush,
        store.flush,
        lambda: store.session("b"),
        store.check,
    ]
    for call in calls:
        said = in_child(call)
        assert said.startswith("ForkedError: ") and "only the parent may write" in said, said
    assert session.entity(5) is not None and store.sessions() == ["a"]


def test_a_child_may_close_and_collect_what_it_inherited(store):
    session = store.session("a")
    session.process_entities(PEOPLE[:5])

    def work():
        nonlocal session, store
        session.close()
        store.close()
        closed = store.closed, session.closed
        del session, store
        return closed

    assert in_child(work) == "(True, True)"
    session.process_entities(PEOPLE[5:10])
    store.close()
    with Store.open(store.path) as again:
        assert again.session("a").entity_count() == 10


def test_a_child_that_opens_the_store_is_told_who_has_it(store):
    store.session("a")
    said = in_child(lambda: Store.open(store.path))
    assert said.startswith("BusyError") and f"process {os.getpid()}" in said, said


def test_prefork_workers_open_the_store_after_the_fork(path):
    """As gunicorn does it: the master loads the program and closes the store, workers open it."""
    with Store.open(path) as store:
        store.session("a").process_entities(PEOPLE[:10])

    def worker(number):
        with Store.open(path, wait=30) as store:
            store.session("a").process_entities([PEOPLE[100 + number]])
            return store.session("a").entity_count()

    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            os._exit(0 if worker(number) > 10 else 1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    with Store.open(path) as store:
        assert store.session("a").entity_count() == 14


def test_the_lock_goes_with_the_parent_though_a_child_lives(path):
    store = Store.open(path)
    store.session("a")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    try:
        store.close()
        with Store.open(path, create=False) as again:
            assert again.sessions() == ["a"]
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)


def test_multiprocessing_with_fork(store):
    session = store.session("a")
    session.process_entities(PEOPLE[:5])
    context = multiprocessing.get_context("fork")
    answers = context.Queue()

    def work():
        try:
            answers.put(session.process_entities(PEOPLE))
        except t.Error as error:
            answers.put(type(error).__name__)

    children = [context.Process(target=work) for _ in range(3)]
    for child in children:
        child.start()
    assert [answers.get(timeout=30) for _ in children] == ["ForkedError"] * 3
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    assert session.entity_count() == 5


def test_forks_in_the_middle_of_flushes(store):
    """A thread writes and flushes without pause; no child hangs, and no write is lost."""
    session, stop, written = store.session("a"), threading.Event(), []

    def flushing():
        for person in PEOPLE:
            if stop.is_set():
                return
            session.process_entities([person])
            written.append(person.id)
            session.flush()

    thread = threading.Thread(target=flushing)
    thread.start()
    try:
        for _ in range(30):
            assert in_child(lambda: session.process_entities(PEOPLE[:1])).startswith("ForkedError")
    finally:
        stop.set()
        thread.join()
    store.close()
    with Store.open(store.path) as again:
        assert again.session("a").entity_count() == len(written)
        assert again.check().problems == ()


def test_a_child_that_ends_as_programs_end_leaves_the_store_alone(path):
    """The child's interpreter shuts down whole, with the inherited handle in a global."""
    code = f"""
import os, sys
from tgsession_store import Entity, Store
store = Store.open({str(path)!r})
session = store.session("a")
session.process_entities([Entity(1, name="x")])
child = os.fork()
if child == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
session.process_entities([Entity(2, name="y")])
"""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    with Store.open(path) as store:
        assert store.session("a").entity_count() == 2
