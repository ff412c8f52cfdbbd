"""What values and modifiers of a rule match, over records that went through the real reader."""

from __future__ import annotations

import pytest

from tests.building import event
from tests.sigma.rules import filled, numbers, of, ran, rule

HOSTILE = "x%_\\'\"; DROP TABLE aws_event; -- *?$since\n\u202e"
EVENTS = [
    event(0),
    event(1, eventName="DeleteTrail", errorCode="AccessDenied", readOnly=False),
    event(2, requestParameters={"list": [{"name": ["One", "two"]}, {"name": "three"}], "n": 7, "ok": True, "e": {}}),
    event(3, requestParameters={"text": HOSTILE, "empty": "", "none": None}),
    event(
        4, responseElements={"errorCode": "NotMine"}, tlsDetails={"tlsVersion": "TLSv1.3"}, oddField={"deep": "Here"}
    ),
    event(
        5,
        sourceIPAddress="198.51.100.9",
        requestParameters={"a/b": {"c~d": "slash"}, "user": "ADA", "same": "192.0.2.7"},
    ),
    event(6, sourceIPAddress="192.0.2.7", requestParameters={"same": "192.0.2.7"}),
    event(7, errorCode="", userAgent="100%_sure"),
    event(8, userAgent="1000_sure"),
]
EVERY = list(range(9))


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("conditions"), EVENTS)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"eventName": "deletetrail"}, [1]),
        ({"eventName|cased": "deletetrail"}, []),
        ({"eventName|startswith": "Delete"}, [1]),
        ({"eventName|endswith": "trail"}, [1]),
        ({"eventName": "D?lete*l"}, [1]),
        ({"eventName": "Trail"}, []),
        ({"eventName|re": "^Delete(Trail|Bucket)$"}, [1]),
        ({"eventName|re": "^delete"}, []),
        ({"eventName|re|i": "^delete"}, [1]),
        ({"errorCode": None}, [n for n in EVERY if n not in (1, 7)]),
        ({"errorCode": ""}, [7]),
        ({"errorCode": "NotMine"}, []),
        ({"responseElements.errorCode": "NotMine"}, [4]),
        ({"errorCode|contains": "*"}, [1]),
        ({"errorCode|exists": True}, [1, 7]),
        ({"readOnly": False}, [1]),
        ({"readOnly": "false"}, [1]),
        ({"requestParameters.list.name": "two"}, [2]),
        ({"requestParameters.list.name": "three"}, [2]),
        ({"requestParameters.list.name|contains|all": ["one", "three"]}, [2]),
        ({"requestParameters.n": 7}, [2]),
        ({"requestParameters.n|gt": 6}, [2]),
        ({"requestParameters.n|lt": 7}, []),
        ({"requestParameters.n": "7"}, [2]),
        ({"requestParameters.ok": True}, [2]),
        ({"requestParameters.e|contains": "*"}, []),
        ({"requestParameters|contains": '"n":7'}, [2]),
        ({"requestParameters|contains": "*"}, [2, 3, 5, 6]),
        ({"requestParameters.empty": ""}, [3]),
        ({"requestParameters.none": None}, EVERY),
        ({"requestParameters.a/b.c~d": "slash"}, [5]),
        ({"tlsDetails.tlsVersion": "TLSv1.3"}, [4]),
        ({"oddField.deep": "here"}, [4]),
        ({"oddField": None}, [n for n in EVERY if n != 4]),
        ({"sourceIPAddress|cidr": "198.51.100.0/24"}, [5]),
        ({"sourceIPAddress|fieldref": "requestParameters.same"}, [6]),
        ({"userAgent": "100%_sure"}, [7]),
        ({"userAgent|contains": "0%_s"}, [7]),
        ({"userAgent": "100%*re"}, [7]),
        ({"userAgent": "1?0%*re"}, [7]),
        (["slash"], [5]),
    ],
)
def test_selection(case, tmp_path, selection, expected):
    outcome = of(ran(case, tmp_path, rule(selection)), "own")
    assert numbers(outcome) == expected, outcome.reason
    assert str(outcome.state) == ("hit" if expected else "none_seen")


def test_negation_of_a_missing_field_holds(case, tmp_path):
    detections = {
        "s": {"eventName": "*"},
        "f": {"requestParameters.nowhere.deep|contains": "x"},
        "g": {"oddField.deep": "Here"},
    }
    outcome = of(ran(case, tmp_path, rule(detections, "s and not f and not g")), "own")
    assert numbers(outcome) == [n for n in EVERY if n != 4]


@pytest.mark.parametrize("modifier", ["", "|contains", "|startswith", "|endswith", "|cased"])
def test_hostile_text_is_text(case, tmp_path, modifier):
    plain = HOSTILE.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    outcome = of(ran(case, tmp_path, rule({f"requestParameters.text{modifier}": plain})), "own")
    assert numbers(outcome) == [3], outcome.reason


@pytest.mark.parametrize(
    "name", ["a'b", 'a"b', "$since", "x) OR TRUE --", "a*b", "requestParameters.x') OR 1=1 --", "[0]", "$.*"]
)
def test_hostile_names_of_fields(case, tmp_path, name):
    outcome = of(ran(case, tmp_path, rule({name: "x"})), "own")
    assert numbers(outcome) == []
    assert "could not be run" not in outcome.reason


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ({"eventName|re": "(?<=a)b"}, "invalid"),
        ({"eventName|expand": "%names%"}, "placeholder 'names'"),
        ({"userAgent|cidr": "192.0.2.0/24"}, "range of addresses"),
        ({"eventTime|hour": 3}, "part of a time"),
        ({"a..b": "x"}, "no field can be named"),
        ({"eventName|nosuch": "x"}, "nosuch"),
        ({"eventName": "a\0b"}, "NUL"),
    ],
)
def test_what_cannot_be_converted_has_a_reason_and_the_others_run(case, tmp_path, selection, reason):
    result = ran(case, tmp_path, rule(selection), rule({"eventName": "DeleteTrail"}, name="good"))
    assert str(of(result, "own").state) == "not_convertible"
    assert reason in of(result, "own").reason
    assert numbers(of(result, "good")) == [1]


def test_other_logs_and_empty_cases_are_not_evaluable(case, tmp_path):
    other = rule({"a": "b"}, name="other", logsource={"product": "windows", "service": "security"})
    outcome = of(ran(case, tmp_path, other), "other")
    assert (str(outcome.state), outcome.reason) == (
        "not_evaluable",
        "written for windows/security; Sigma rules are run over CloudTrail",
    )
