"""A pen for the intruder: writes events and notes which step each belongs to."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from forensics.sample.cloudtrail import record
from forensics.sample.identities import (
    RESPONDER,
    RESPONDER_ROLE,
    Record,
    assumed,
    ci_user,
    role_arn,
    role_id,
    session_key,
)
from forensics.sample.noise_machines import session_token
from forensics.sample.story import ACCOUNT, CLI_AGENT, DOMAIN, T0, US, Settings
from forensics.sample.times import american, epoch

RELEASE_ADMIN = ("release-admin", "release-4471")
VAULT = ("vault-maintenance", "vm-1")
CHAIN_AT = epoch("2026-05-05T02:21:12Z")
VAULT_AT = epoch("2026-05-05T02:23:40Z")


class Planted:
    """Events of the story beside the noise: `events` in writing order, `steps` from step to event ids."""

    def __init__(self, settings: Settings) -> None:
        self.seed = settings.seed
        self.rng = Random(f"{settings.seed}/intrusion")
        self.events: list[Record] = []
        self.steps: dict[str, list[str]] = defaultdict(list)
        self.ci = ci_user(self.seed)
        self.release = assumed(self.seed, *RELEASE_ADMIN, CHAIN_AT)
        self.vault = assumed(self.seed, *VAULT, VAULT_AT)

    def call(
        self,
        step: str | None,
        at: int,
        who: Record,
        ip: str,
        target: str,
        request: Record | None = None,
        response: Record | None = None,
        *,
        region: str = US,
        agent: str = CLI_AGENT,
        read_only: bool = True,
        error: tuple[str, str | None] | None = None,
        extra: Record | None = None,
        resources: list[Record] | None = None,
        event_type: str = "AwsApiCall",
        console: bool = False,
    ) -> Record:
        """Write one event; `target` reads `service:EventName`, `step` is None for the responders' acts."""
        service, name = target.split(":")
        event = record(
            self.rng,
            at,
            service,
            name,
            region,
            who,
            ip,
            agent,
            request,
            response,
            read_only=read_only,
            error=error,
            extra=extra,
            resources=resources,
            event_type=event_type,
            console=console,
        )
        self.events.append(event)
        if step is not None:
            self.steps[step].append(event["eventID"])
        return event

    def take_role(self, step: str | None, at: int, who: Record, ip: str, role: str, session: str) -> Record:
        """AssumeRole whose response carries the access key that the session then uses."""
        response = {
            "credentials": {
                "accessKeyId": session_key(self.seed, role, session, at),
                "sessionToken": session_token(self.rng),
                "expiration": american(at + 3600),
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{role_id(self.seed, role)}:{session}",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
            },
        }
        request = {"roleArn": role_arn(role), "roleSessionName": session, "durationSeconds": 3600}
        return self.call(
            step,
            at,
            who,
            ip,
            "sts:AssumeRole",
            request,
            response,
            resources=[{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role_arn(role)}],
        )

    def responder(self, at: int) -> Record:
        """Give the session of the vendor's incident responder."""
        return assumed(self.seed, RESPONDER_ROLE, f"{RESPONDER}@{DOMAIN}", at, mfa=True)

    def minute(self, text: str, second: int = 0) -> int:
        """UTC seconds of a clock time on the day of the incident, like `02:11`."""
        return T0 - T0 % 86400 + int(text[:2]) * 3600 + int(text[3:]) * 60 + second
