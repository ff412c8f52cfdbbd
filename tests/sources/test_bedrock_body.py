"""Bodies that the invocation log keeps as objects of their own: registered, and marked for what they hold."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from forensics.cli.main import run
from forensics.sources.catalogue import catalogue
from tests.building import new_case
from tests.sources.building import claimants

TURN = {"role": "user", "content": [{"text": "a private question"}]}
SAID = {"role": "assistant", "content": [{"type": "text", "text": "a private answer"}]}
BODIES: dict[str, Any] = {
    "messages": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": [TURN]},
    "converse": {"messages": [TURN], "system": [{"text": "x"}], "inferenceConfig": {"maxTokens": 5}},
    "prompt": {"prompt": "a private question", "max_gen_len": 512, "temperature": 0.5},
    "titan": {"inputText": "a private question", "textGenerationConfig": {"topP": 1}},
    "embedding": {"inputText": "a private question", "dimensions": 256},
    "cohere": {"texts": ["a private question"], "input_type": "search_document"},
    "answer": {"id": "msg_1", "type": "message", **SAID, "usage": {"input_tokens": 1, "output_tokens": 2}},
    "converse answer": {"output": {"message": SAID}, "stopReason": "end_turn", "usage": {"inputTokens": 1}},
    "llama answer": {"generation": "a private answer", "prompt_token_count": 1, "stop_reason": "stop"},
    "titan answer": {"inputTextTokenCount": 3, "results": [{"outputText": "a private answer", "tokenCount": 2}]},
    "mistral answer": {"outputs": [{"text": "a private answer", "stop_reason": "stop"}]},
    "choices": {"id": "c", "object": "chat.completion", "created": 1, "choices": [{"index": 0, "message": SAID}]},
    "streamed": [
        {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": []}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a private answer"}},
    ],
    "converse streamed": [{"messageStart": {"role": "assistant"}}, {"contentBlockDelta": {"delta": {"text": "x"}}}],
}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_each_form_is_claimed_by_this_format_alone(name: str) -> None:
    assert claimants(json.dumps(BODIES[name])) == ["bedrock_body"]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": []},
        {"messages": [{"text": "no turn"}], "max_tokens": 5},
        {"messages": [TURN], "timestamp": "2026-11-14T02:11:09Z", "model": "m"},
        {"messages": [TURN], "usage": {"total_tokens": 5}},
        {"prompt": "words alone"},
        {"inputText": "x", "user": "ada"},
        {"outputs": [{"name": "bucket", "value": "b"}]},
        {"type": "message", "role": "assistant", "content": "words"},
        {"results": [{"outputText": "x"}]},
        ["text"],
    ],
)
def test_what_only_resembles_a_body_is_not_claimed(value: Any) -> None:
    assert "bedrock_body" not in claimants(json.dumps(value))


def test_bodies_beside_their_log_are_registered_and_their_exhibits_are_red(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the names of the log's pointers, and under another one."""
    folder, logs = new_case(tmp_path), tmp_path / "logs/AWSLogs/111122223333/BedrockModelInvocationLogs/eu-west-1/data"
    logs.mkdir(parents=True)
    files = {
        "r1_input.json.gz": gzip.compress(json.dumps(BODIES["titan"]).encode(), mtime=0),
        "r1_output.json.gz": gzip.compress(json.dumps(BODIES["streamed"]).encode(), mtime=0),
        "renamed": json.dumps(BODIES["messages"]).encode(),
    }
    for name, data in files.items():
        (logs / name).write_bytes(data)
    assert run(["ingest", str(folder.root), str(tmp_path / "logs"), "--owner", "Lantmark"]) == 0
    capsys.readouterr()
    assert run(["status", str(folder.root), "--json"]) == 0
    text = capsys.readouterr().out
    assert "private" not in text
    told = json.loads(text)
    assert told["records"] == {"seen": 4, "accepted": 0, "duplicate": 0, "defect": 0, "out_of_scope": 4}
    assert {(Path(e["path"]).name, e["source_id"], e["state"], e["tlp"], e["contents"]) for e in told["exhibits"]} == {
        ("r1_input.json.gz", "bedrock_body", "registered", "TLP:RED", 1),
        ("r1_output.json.gz", "bedrock_body", "registered", "TLP:RED", 2),
        ("renamed", "bedrock_body", "registered", "TLP:RED", 1),
    }
    assert catalogue()["bedrock_body"].table == ""
