"""Which server is found: as packages/cli/src/server.ts finds it."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
from typing import Dict, Optional
from unittest import TestCase

import serin
from serin._server import Secret, Server, find_server


class Finding(TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name).resolve()
        self.folder = self.root / "project" / "notebooks"
        self.folder.mkdir(parents=True)
        self.env: Dict[str, str] = {"HOME": str(self.root)}

    def own(self, document: object, folder: str = "project", mode: int = 0o600) -> pathlib.Path:
        file = self.root / folder / ".serin" / "server.json"
        file.parent.mkdir()
        file.write_text(json.dumps(document))
        file.chmod(mode)
        return file

    def contexts(self, document: object) -> None:
        file = self.root / ".config" / "serin" / "contexts.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))

    def find(self, **given: Optional[str]) -> Server:
        return find_server(**given, folder=str(self.folder), env=self.env)

    def test_the_nearest_wins(self) -> None:
        own = {"url": "http://127.0.0.1:1001", "token": "srn_own"}
        saved = {"prod": {"url": "https://prod.example/", "token": "srn_prod"}}

        found = [self.find()]
        self.contexts({"contexts": saved, "current": "prod"})
        found.append(self.find())
        file = self.own(own)
        found.append(self.find())
        self.env["SERIN_URL"] = "https://env.example"
        self.env["SERIN_TOKEN"] = "srn_env"
        found.append(self.find())
        found.append(self.find(context="prod"))
        found.append(self.find(url="http://127.0.0.1:9", token="srn_call"))

        self.assertEqual(
            [(each.url, each.token and each.token.reveal(), each.source) for each in found],
            [
                ("http://127.0.0.1:7373", None, "the default"),
                ("https://prod.example", "srn_prod", "context prod"),
                ("http://127.0.0.1:1001", "srn_own", str(file)),
                ("https://env.example", "srn_env", "SERIN_URL"),
                ("https://prod.example", "srn_env", "context prod"),
                ("http://127.0.0.1:9", "srn_call", "url"),
            ],
        )

    def test_a_token_of_the_environment_never_goes_to_an_address_that_the_caller_gives(self) -> None:
        self.env.update(SERIN_URL="https://env.example", SERIN_TOKEN="srn_env")

        self.assertIsNone(self.find(url="https://other.example").token)

    def test_a_token_that_would_not_be_sent_is_refused(self) -> None:
        self.own({"url": "http://127.0.0.1:1001", "token": "srn_own"})
        self.env["SERIN_TOKEN"] = "srn_bob"

        with self.assertRaisesRegex(serin.UsageError, "set SERIN_URL=http://127.0.0.1:1001 too") as caught:
            self.find()
        self.env["SERIN_TOKEN"] = "srn_own"

        self.assertNotIn("srn_bob", str(caught.exception))
        self.assertEqual(self.find().token, Secret("srn_own", "test"))

    def test_a_file_that_others_can_read_or_that_names_another_machine_is_not_believed(self) -> None:
        file = self.own({"url": "http://127.0.0.1:1001"})
        for mode in (0o640, 0o620, 0o610, 0o604, 0o602, 0o601):
            file.chmod(mode)
            self.assertEqual(self.find().source, "the default", oct(mode))
        file.chmod(0o600)
        self.assertEqual(self.find().source, str(file))

        for url in (
            "http://evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
            "http://evil.example\\@127.0.0.1",
            "http://127.0.0.1\\@evil.example",
            "http://127.0.0.1#@evil.example",
            "file://127.0.0.1/x",
            "http://127.0.0.1:99999",
            7,
            None,
        ):
            file.write_text(json.dumps({"url": url}))
            self.assertEqual(self.find().source, "the default", url)
        for text in ("", "[]", "null", "{", "\\ud800"):
            file.write_text(text)
            self.assertEqual(self.find().source, "the default", text)

    def test_a_file_of_another_user_is_not_believed(self) -> None:
        if os.getuid() != 0:
            self.skipTest("only root can give a file away")
        file = self.own({"url": "http://127.0.0.1:1001"})
        os.chown(file, 12345, 12345)

        self.assertEqual(self.find().source, "the default")

    def test_what_is_no_address_is_refused(self) -> None:
        for url in ("", "localhost:7373", "ftp://x", "https://a:b@x", "https://x?a", "https://x#a", "http://x y"):
            with self.assertRaisesRegex(serin.UsageError, "give one such as"):
                self.find(url=url)

    def test_contexts_that_cannot_be_used_say_so(self) -> None:
        with self.assertRaisesRegex(serin.NotFoundError, "serin context list"):
            self.find(context="prod")
        self.contexts([])
        with self.assertRaisesRegex(serin.UsageError, "correct it, or move it away"):
            self.find()
