"""The whole way against a real server, with the project that `serin init` writes: test/python/client.test.ts starts it."""

from __future__ import annotations

import itertools
import os
import threading
import time
from typing import Any, List, Mapping, Set, Tuple
from unittest import TestCase, skipUnless

import serin

ROWS = b"x,y\n" + b"".join(b"%d,%d\n" % (x, 2 * x + 1) for x in range(200))
LIMIT_S = 60.0


@skipUnless(os.environ.get("SERIN_URL"), "no server: SERIN_URL is not set")
class Live(TestCase):
    def test_data_becomes_a_served_model_that_is_labelled_explained_and_taken_back(self) -> None:
        client = serin.connect()
        heard: List[serin.Event] = []
        follower = threading.Thread(target=lambda: heard.extend(itertools.islice(client.events(follow=True, after=0), 3)))
        follower.start()

        run = client.runs.wait(client.drop("line", ROWS, "first.csv"), LIMIT_S)
        rollout = client.rollouts.wait(client.rollouts.of("line", 1, LIMIT_S)["id"], LIMIT_S)
        prediction = client.predict("line", [{"x": 3}])
        labels = [client.label(prediction, truth=7, time="2026-01-02T08:00:00Z")["status"] for _ in range(2)]

        self.assertEqual([run["status"], rollout["status"], rollout.get("candidate")], ["succeeded", "promoted", 1])
        self.assertEqual(prediction.version, 1)
        self.assertAlmostEqual(prediction.answer["predictions"][0]["y"], 7, delta=0.5)
        self.assertEqual(labels, ["recorded", "duplicate"])
        self.assertEqual(client.labels.get("line")["totals"]["recorded"], 1)
        self.assertIn("y = 2", "".join(client.runs.logs(run["id"], job="train", follow=True)))
        follower.join(LIMIT_S)
        self.assertEqual([each["data"]["model"] for each in heard], ["line"] * 3)

        self.refuses_what_is_not_there(client)
        self.starts_once_under_one_key(client)
        self.has_what_the_types_promise(client)
        self.compares_versions(client)

    def refuses_what_is_not_there(self, client: serin.Client) -> None:
        with self.assertRaisesRegex(serin.NotFoundError, "no model") as caught:
            client.models.get("none")
        self.assertEqual(caught.exception.status, 404)
        with self.assertRaises(serin.NotFoundError):
            client.predict("none", [1])
        with self.assertRaises(serin.PredictionError) as answered:
            client.predict("line", b"no JSON")
        self.assertEqual(answered.exception.version, 1)
        with self.assertRaises(serin.AccessError) as refused:
            serin.connect(os.environ["SERIN_URL"], "srn_nobody").models.list()
        self.assertIn("SERIN_TOKEN", str(refused.exception))

    def starts_once_under_one_key(self, client: serin.Client) -> None:
        with self.assertRaisesRegex(serin.ConflictError, "no run of line was started"):
            client.runs.wait(client.runs.start("line"))

        first = client.runs.start("line", hyperparameters={"ridge": 0.01}, key="once")
        again = client.runs.start("line", hyperparameters={"ridge": 0.01}, key="once")
        run = client.runs.wait(first, LIMIT_S)

        self.assertEqual([again.run, again.outcome], [first.run, "accepted"])
        self.assertEqual(len(client.runs.list("line")), 2)
        self.assertIn(run["status"], ("succeeded", "refused"))
        with self.assertRaisesRegex(serin.InvalidError, "another request"):
            client.runs.start("line", key="once")

    def has_what_the_types_promise(self, client: serin.Client) -> None:
        run, rollout = client.runs.list("line")[0], client.rollouts.list("line")[0]
        answers: List[Tuple[type, Mapping[str, Any]]] = [
            (serin.Run, run),
            (serin.Run, client.runs.get(run["id"])),
            (serin.Rollout, rollout),
            (serin.Rollout, client.rollouts.get(rollout["id"])),
            (serin.Version, client.versions.get("line", 1)),
            (serin.Model, client.models.get("line")),
            (serin.Event, next(client.events())),
        ]
        for kind, answer in answers:
            self.assertLessEqual(set(getattr(kind, "__required_keys__")), set(answer), kind)

    def counted_since(self, client: serin.Client, since: str) -> Set[str]:
        # A prediction is counted when its tick is over.
        deadline = time.monotonic() + LIMIT_S
        while True:
            ticks = client.models.traffic("line", since=since)["ticks"]
            names = {name for tick in ticks for name in tick["deployments"]}
            if names or time.monotonic() > deadline:
                return names
            time.sleep(0.2)

    def compares_versions(self, client: serin.Client) -> None:
        versions = client.versions.list("line")

        self.assertEqual([each["number"] for each in versions], [2, 1])
        self.assertEqual(client.versions.get("line", 1)["champion"], True)
        self.assertEqual(client.models.history("line")[-1].get("version"), 1)
        self.assertEqual([each["model"] for each in client.models.list()], ["line"])
        self.assertIn("v1", self.counted_since(client, client.runs.list("line")[-1]["startedAt"]))
        self.assertIn("v1", client.why("line@1")["sentence"])
        self.assertIn("dev.serin.rollout.promoted.v1", {each["type"] for each in client.events()})
