"""What is sent, how often, and what a failure says."""

from __future__ import annotations

import itertools
import socket
import traceback
from typing import Callable, List

import serin
from tests.stub import Hurried, Reply, Stub, problem

ACCEPTED = Reply(202, {"outcome": "accepted", "seq": 7})
BUSY = Reply(503, {}, {"retry-after": "0"})


class Requests(Hurried):
    def test_a_change_whose_answer_is_lost_is_sent_again_under_the_same_key(self) -> None:
        stub = Stub(self, lambda _, index: ACCEPTED if index else Reply(cut=-1))

        outcome = stub.client().rollback("weather", to=2, because="it rains")

        keys = {each.headers["idempotency-key"] for each in stub.received}
        self.assertEqual(outcome["outcome"], "accepted")
        self.assertEqual([len(stub.received), len(keys)], [2, 1])
        self.assertEqual(stub.received[0].body, b'{"to": 2, "because": "it rains"}')

    def test_an_answer_that_breaks_off_is_not_taken_for_whole(self) -> None:
        stub = Stub(self, lambda _, index: ACCEPTED if index else Reply(202, {"outcome": "accepted"}, cut=5))

        outcome = stub.client().versions.approve("weather", 3)

        self.assertEqual([outcome.get("seq"), len(stub.received)], [7, 2])

    def test_two_changes_have_two_keys_and_a_given_key_is_kept(self) -> None:
        stub = Stub(self, lambda *_: ACCEPTED)
        client = stub.client()

        client.rollouts.pause("ro_1")
        client.rollouts.pause("ro_1")
        client.rollouts.pause("ro_1", key="mine")

        keys = [each.headers["idempotency-key"] for each in stub.received]
        self.assertEqual([len(set(keys)), keys[2]], [3, "mine"])

    def test_a_prediction_that_is_lost_is_not_sent_again(self) -> None:
        stub = Stub(self, lambda *_: Reply(cut=-1))

        with self.assertRaises(serin.UnreachableError):
            stub.client().predict("weather", [1])

        self.assertEqual(len(stub.received), 1)
        self.assertNotIn("idempotency-key", stub.received[0].headers)

    def test_a_busy_server_is_asked_again_when_it_says_and_four_times_in_all(self) -> None:
        once = Stub(self, lambda _, index: ACCEPTED if index else Reply(429, {}, {"retry-after": "0"}))
        always = Stub(self, lambda *_: BUSY)

        once.client().rollouts.abort("ro_1")
        with self.assertRaises(serin.BusyError):
            always.client().runs.get("run_1")
        with self.assertRaises(serin.BusyError):
            always.client().predict("weather", [1])

        self.assertEqual([len(once.received), len(always.received)], [2, 8])

    def test_without_a_time_to_wait_only_what_is_done_once_is_asked_for_again(self) -> None:
        stub = Stub(self, lambda *_: Reply(503, {}))
        client = stub.client()

        with self.assertRaises(serin.BusyError):
            client.predict("weather", [1])
        self.assertEqual(len(stub.received), 1)
        with self.assertRaises(serin.BusyError):
            client.rollouts.abort("ro_1")
        self.assertEqual(len(stub.received), 5)

    def test_a_server_that_asks_for_an_hour_is_not_waited_for(self) -> None:
        stub = Stub(self, lambda *_: Reply(503, {}, {"retry-after": "3600"}))

        with self.assertRaises(serin.BusyError):
            stub.client().runs.get("run_1")

        self.assertEqual(len(stub.received), 1)

    def test_a_change_that_is_still_under_way_is_asked_for_again_and_a_refusal_is_not(self) -> None:
        going = Reply(409, {}, {"retry-after": "0"})
        under_way = Stub(self, lambda _, index: ACCEPTED if index else going)
        refused = Stub(self, lambda *_: problem(409, "v3 may not serve"))

        under_way.client().rollouts.promote("ro_1")
        with self.assertRaisesRegex(serin.ConflictError, "v3 may not serve"):
            refused.client().rollouts.promote("ro_1")

        self.assertEqual([len(under_way.received), len(refused.received)], [2, 1])

    def test_a_redirect_does_not_get_the_token(self) -> None:
        thief = Stub(self, lambda *_: ACCEPTED)
        stub = Stub(self, lambda *_: Reply(307, {}, {"location": thief.url}))

        with self.assertRaisesRegex(serin.ServerError, "answered with 307"):
            stub.client().rollouts.promote("ro_1")

        self.assertEqual(thief.received, [])

    def test_silence_ends_with_a_reason(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            client = serin.connect(f"http://127.0.0.1:{mute.getsockname()[1]}", "srn_secret", timeout=0.05)

            with self.assertRaises(serin.UnreachableError) as caught:
                client.models.list()

        self.assertEqual(caught.exception.why, "it did not answer in time")

    def test_an_answer_that_drips_ends_as_well(self) -> None:
        body = b" " * 2_000_000
        stub = Stub(self, lambda *_: Reply(200, body))

        with self.assertRaises(serin.UnreachableError):
            stub.client(timeout=1e-5).predict("weather", [1])

    def test_a_name_is_one_part_of_a_path_whatever_it_holds(self) -> None:
        stub = Stub(self, lambda *_: Reply(200, {"sentence": "", "numbers": {}, "story": []}))

        stub.client().why("a/../b?c#d")

        self.assertEqual(stub.received[0].path, "/v1/why/a%2F..%2Fb%3Fc%23d")
        for name in ("", ".", ".."):
            with self.assertRaises(serin.UsageError):
                stub.client().why(name)

    def test_a_list_goes_on_over_pages_up_to_its_limit(self) -> None:
        rows = [{"id": f"run_{number}", "model": "m", "status": "failed"} for number in range(300)]
        pages = [{"runs": rows[:200], "next": "c1"}, {"runs": rows[200:250], "next": "c2"}]
        stub = Stub(self, lambda _, index: Reply(200, pages[index]))

        found = stub.client().runs.list(model="m", limit=250)

        self.assertEqual(found, rows[:250])
        self.assertEqual(
            [each.path for each in stub.received],
            ["/v1/runs?model=m&limit=200", "/v1/runs?model=m&cursor=c1&limit=50"],
        )

    def test_labels_go_in_parts_of_a_thousand(self) -> None:
        stub = Stub(self, lambda *_: Reply(200, {"results": [{"requestId": "r", "status": "recorded"}]}))

        stub.client().labels.send(({"requestId": str(each)} for each in range(2001)), key="nightly")

        keys = [each.headers["idempotency-key"] for each in stub.received]
        self.assertEqual(keys, ["nightly-0", "nightly-1000", "nightly-2000"])


class Errors(Hurried):
    def test_a_problem_says_what_why_and_how_to_mend_it(self) -> None:
        errors = [{"pointer": "/to", "detail": "must be a number"}]
        stub = Stub(self, lambda *_: problem(422, "a field is wrong; it is known; correct it", errors=errors))

        with self.assertRaises(serin.InvalidError) as caught:
            stub.client().rollback("weather")

        error = caught.exception
        self.assertEqual([error.what, error.mend], ["a field is wrong; it is known", "correct it"])
        self.assertEqual([error.status, error.code, error.request_id], [422, "x", "req_1"])
        self.assertEqual(str(error), "a field is wrong; it is known\n  /to  must be a number\n  mend: correct it")

    def test_each_status_has_its_exception(self) -> None:
        kinds = {
            401: serin.AccessError,
            403: serin.AccessError,
            404: serin.NotFoundError,
            412: serin.ConflictError,
            413: serin.InvalidError,
            501: serin.UnsupportedError,
            500: serin.ServerError,
        }
        for status, kind in kinds.items():
            stub = Stub(self, lambda *_, status=status: problem(status, "no"))
            with self.assertRaises(kind) as caught:
                stub.client().runs.get("run_1")
            self.assertIs(type(caught.exception), kind)

    def test_what_is_not_json_is_not_taken_for_serin(self) -> None:
        stub = Stub(self, lambda *_: Reply(200, b"<html>", {"content-type": "text/html"}))

        with self.assertRaisesRegex(serin.ServerError, "does not answer like a Serin server"):
            stub.client().models.list()

    def test_a_model_that_fails_is_told_from_a_server_that_does(self) -> None:
        says = {"x-serin-deployment": "v3", "x-serin-request-id": "req_9"}
        model = Stub(self, lambda *_: Reply(500, {"error": "no wind"}, says))
        gateway = Stub(self, lambda *_: problem(404, "there is no endpoint x; see the list of endpoints"))

        with self.assertRaises(serin.PredictionError) as caught:
            model.client().predict("weather", [1])
        with self.assertRaises(serin.NotFoundError):
            gateway.client().predict("weather", [1])

        error = caught.exception
        self.assertEqual([error.version, error.answer, error.request_id], [3, {"error": "no wind"}, "req_9"])
        self.assertIn("no wind", str(error))

    def test_no_text_has_the_token(self) -> None:
        token = "_".join(["srn", "hidden"])
        stub = Stub(self, lambda *_: Reply(cut=-1))
        client = stub.client(token)
        texts = [repr(client), str(vars(client)), repr(client._http.server)]
        calls: List[Callable[[], object]] = [
            lambda: client.runs.get("run_1"),
            lambda: serin.connect(stub.url, token + "\n"),
        ]
        for call in calls:
            with self.assertRaises(serin.SerinError) as caught:
                call()
            texts.append("".join(traceback.format_exception(None, caught.exception, caught.exception.__traceback__)))

        self.assertEqual([text for text in texts if token in text], [])
        self.assertEqual(stub.received[0].headers["authorization"], f"Bearer {token}")

    def test_a_token_that_others_could_read_is_warned_of(self) -> None:
        with self.assertWarnsRegex(UserWarning, "unencrypted; use https"):
            serin.connect("http://serin.example.com", "srn_secret")


def event(position: int) -> bytes:
    return f'id: {position}\nevent: t\ndata: {{"id": "e{position}"}}\n\n'.encode()


class Events(Hurried):
    def streams(self, *bodies: Reply) -> Stub:
        return Stub(self, lambda _, index: bodies[index])

    def stream(self, content: bytes) -> Reply:
        return Reply(200, content, {"content-type": "text/event-stream"})

    def test_go_on_behind_the_last_one_after_a_lost_connection_and_a_restart(self) -> None:
        first = self.stream(b": connected\n\n" + event(3) + event(4) + event(5)[:12])
        stub = self.streams(first, Reply(cut=-1), BUSY, self.stream(event(5)))

        events = list(itertools.islice(stub.client().events(follow=True), 3))

        self.assertEqual([(each["id"], each["position"]) for each in events], [("e3", 3), ("e4", 4), ("e5", 5)])
        self.assertEqual([each.headers.get("last-event-id") for each in stub.received], [None, "4", "4", "4"])
        self.assertEqual({each.headers["accept"] for each in stub.received}, {"text/event-stream"})

    def test_none_is_lost_before_the_first(self) -> None:
        stub = self.streams(self.stream(b"id: 7\n: connected\n\n"), self.stream(event(8)))

        self.assertEqual(next(stub.client().events(follow=True))["id"], "e8")

        self.assertEqual(stub.received[1].headers["last-event-id"], "7")

    def test_outlive_a_connection_that_brought_a_sign_of_life_only(self) -> None:
        stub = self.streams(self.stream(b": beat\n"), self.stream(event(8)))

        self.assertEqual(next(stub.client().events(follow=True))["id"], "e8")

    def test_begin_where_the_caller_says(self) -> None:
        stub = self.streams(self.stream(event(4)))

        next(stub.client().events(follow=True, after=3))

        self.assertEqual(stub.received[0].headers["last-event-id"], "3")

    def test_end_when_the_token_is_refused_or_no_server_was_ever_there(self) -> None:
        stub = self.streams(self.stream(event(4)), problem(401, "the token is revoked"))
        none = self.streams(Reply(cut=-1))

        with self.assertRaises(serin.AccessError):
            list(stub.client().events(follow=True))
        with self.assertRaises(serin.UnreachableError):
            list(none.client().events(follow=True))

    def test_are_a_list_that_ends_without_follow(self) -> None:
        rows = [{"position": position, "event": {"id": f"e{position}"}} for position in (1, 2)]
        pages = [{"events": rows[:1], "next": "1"}, {"events": rows[1:]}]
        stub = Stub(self, lambda _, index: Reply(200, pages[index]))

        events = list(stub.client().events())

        self.assertEqual([(each["id"], each["position"]) for each in events], [("e1", 1), ("e2", 2)])
        self.assertEqual([each.path[-17:] for each in stub.received], ["after=0&limit=200", "after=1&limit=200"])
