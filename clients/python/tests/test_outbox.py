import threading

from prospero import v1
from prospero._outbox import DriveOutbox, FeedOutbox, Heart


def frame(step):
    return v1.FeedRequest(frame=v1.FeedFrame(at_step=step))


def test_the_oldest_frame_gives_way_and_the_first_message_never_does():
    first = v1.FeedRequest(open=v1.FeedOpen(network="networks/a"))
    outbox = FeedOutbox(3, first)
    for step in range(10):
        outbox.put(frame(step))
    outbox.close()
    requests = list(outbox)
    assert requests[0] == first and outbox.dropped == 7
    assert [r.frame.at_step for r in requests[1:]] == [7, 8, 9]


def test_a_feed_that_is_given_up_sends_nothing_more():
    outbox = FeedOutbox(3, v1.FeedRequest())
    next(outbox)
    outbox.put(frame(1))
    outbox.close(drop=True)
    assert list(outbox) == []


def test_one_beat_waits_at_a_time():
    outbox = DriveOutbox()
    for _ in range(5):
        outbox.beat(unless_within=0.0)
    assert next(outbox).HasField("heartbeat")
    outbox.beat(unless_within=0.0)
    outbox.close()
    assert [r.WhichOneof("message") for r in outbox] == ["heartbeat"]


def test_a_request_is_a_sign_of_life_itself():
    outbox = DriveOutbox()
    outbox.put(v1.DriveRequest(advance=v1.DriveAdvance(tag=1)))
    outbox.beat(unless_within=1e6)
    outbox.close()
    assert [r.WhichOneof("message") for r in outbox] == ["advance"]


def test_a_heart_beats_from_a_thread_of_its_own_until_it_is_stopped():
    beats, threads = threading.Semaphore(0), set()

    def beat(_):
        threads.add(threading.current_thread().name)
        beats.release()

    heart = Heart(0.004, beat)
    heart.start()
    heart.start()
    assert all(beats.acquire(timeout=10) for _ in range(20))
    heart.stop()
    heart._thread.join(10)
    assert not heart._thread.is_alive() and threads == {"prospero-heartbeat"}
