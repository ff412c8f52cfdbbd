"""What Amazon Bedrock was asked and answered, where the invocation log keeps large bodies as objects of their own.

The log points to them (`inputBodyS3Path`, `outputBodyS3Path`); the pointer stays in `raw` of the request. A body has no
time, id or principal that makes a row: it is registered, and its exhibit marked for the content. It is told by the form of
models' requests and answers alone, never by `_input` or `_output` in its name: a name can be given to any file, and one
that a copy renamed holds prompts all the same.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.model.fields import inside
from forensics.sources.protocol import Document, Probe, Reading, RowOrDefect

#: Names that a log of requests has and a request itself has not, in lower case.
_OF_A_LOG = frozenset(
    {
        *(
            "id",
            "request_id",
            "requestid",
            "trace_id",
            "traceid",
            "span_id",
            "call_type",
            "object",
            "schematype",
            "source",
        ),
        *(
            "time",
            "timestamp",
            "@timestamp",
            "created",
            "created_at",
            "createdat",
            "starttime",
            "start_time",
            "endtime",
        ),
        *("usage", "metrics", "spend", "cost", "response", "output", "input", "user_id", "api_key", "status", "event"),
    }
)
#: Names beside a prompt that say how a model is to answer it.
_SETTINGS = frozenset(
    {
        *("max_tokens", "max_tokens_to_sample", "maxtokens", "max_gen_len", "max_completion_tokens", "temperature"),
        *("top_p", "topp", "top_k", "topk", "stop", "stop_sequences", "stopsequences", "num_generations", "input_type"),
        *("textgenerationconfig", "embeddingtypes", "embedding_types", "dimensions", "normalize", "images"),
    }
)
#: Members of an answer, all of which one family of models gives.
_ANSWERS = (
    ("an answer", {"generation", "stop_reason"}),
    ("an answer", {"completion", "stop_reason"}),
    ("an answer", {"outputs"}),
    ("an answer", {"generations", "prompt"}),
    ("an answer", {"inputTextTokenCount", "results"}),
    ("a part of an answer", {"generation", "prompt_token_count"}),
    ("a part of an answer", {"outputText", "index"}),
    ("a part of an answer", {"messageStart"}),
    ("a part of an answer", {"contentBlockDelta"}),
)


def _is_turn(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("role"), str) and "content" in value


def _request(value: Mapping[str, Any]) -> str:
    names = {str(name).lower() for name in value}
    if names & _OF_A_LOG:
        return ""
    turns = value.get("messages")
    if isinstance(turns, list) and turns and all(map(_is_turn, turns)):
        return "messages of a request to a model"
    if isinstance(value.get("inputText"), str) and names <= _SETTINGS | {"inputtext", "inputimage", "embeddingconfig"}:
        return "the text of a request to a model"
    asked = isinstance(value.get("prompt"), str) or isinstance(value.get("texts"), list)
    return "the prompt of a request to a model" if asked and names & _SETTINGS else ""


def _answer(value: Mapping[str, Any]) -> str:
    if value.get("type") == "message" and value.get("role") == "assistant" and isinstance(value.get("content"), list):
        return "the message of a model"
    started = value.get("message") if value.get("type") == "message_start" else None
    if _is_turn(started) or (_is_turn(inside(value, "output", "message")) and "stopReason" in value):
        return "the message of a model"
    if value.get("object") in ("chat.completion", "chat.completion.chunk") and isinstance(value.get("choices"), list):
        return "choices of a model"
    if {str(name).lower() for name in value} & {"time", "timestamp", "created_at", "request_id", "user_id"}:
        return ""
    if "outputs" in value and not _are_texts(value["outputs"]):
        return ""
    return next((f"{what} of a model" for what, names in _ANSWERS if value.keys() >= names), "")


def _are_texts(outputs: object) -> bool:
    return isinstance(outputs, list) and all(isinstance(inside(o, "text"), str) and "stop_reason" in o for o in outputs)


class BedrockBody:
    """Bodies of requests and answers, registered; each record counts as content."""

    id = "bedrock_body"
    title = "Amazon Bedrock bodies of requests and answers"
    provider = "aws_bedrock"
    reference = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"
    reader_version = "1"
    table = ""
    is_content = True

    def recognise(self, probe: Probe) -> str:
        """Recognise by the form of what models are asked and answer."""
        if probe.form not in {"json", "ndjson"}:
            return ""
        if probe.container:  # answers of Titan are the one form with a list that other formats have too
            told = isinstance(inside(probe.sample, "outputText"), str) and probe.keys >= {
                "results",
                "inputTextTokenCount",
            }
            return "results of a model" if told else ""
        if not isinstance(probe.sample, Mapping):
            return ""
        return _request(probe.sample) or _answer(probe.sample)

    def record_path(self, probe: Probe) -> tuple[str, ...]:
        """Take each value as it stands: of an answer in parts each part."""
        return ()

    def read(self, document: Document) -> Reading:
        """Answer that the body is registered as evidence."""
        return Reading(
            [RowOrDefect(r, out_of_scope="body of a request or answer: registered") for r in document.records]
        )


SOURCE = BedrockBody()
