"""The first page of a package: what it is, and how to check it with and without this program."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from jinja2 import Environment, StrictUndefined

from forensics.model.text import visible

_STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
dt{font-weight:600}dd{margin:0 0 .5rem}code,pre{font-family:ui-monospace,monospace;font-size:.9em}
pre{padding:.75rem;border:1px solid;overflow-x:auto}"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'sha256-{{ style_hash }}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evidence package {{ package_id }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>
<h1>Evidence package</h1>
<p>{{ tlp }}</p>
<dl>
<dt>Case</dt><dd><bdi>{{ case_id }}</bdi> <bdi>{{ title }}</bdi></dd>
<dt>Package</dt><dd><bdi>{{ package_id }}</bdi></dd>
<dt>Last act on the evidence</dt><dd>{{ created }}</dd>
<dt>Examiner</dt><dd><bdi>{{ examiner }}</bdi></dd>
<dt>Received files inside</dt><dd>{{ files }}</dd>
</dl>
<p><a href="report/report.html">Read the report</a></p>
<h2>Check it</h2>
<p>The package digest is the SHA-256 of <code>tagmanifest-sha256.txt</code>.
Compare it with the one you were told by another way.</p>
<pre>sha256sum tagmanifest-sha256.txt
sha256sum -c tagmanifest-sha256.txt
sha256sum -c manifest-sha256.txt</pre>
<p>These three commands do not see files that were added. To check that nothing is missing or added, that the
account of records adds up, and that the results come out again from the evidence:</p>
<pre>keytrail verify PACKAGE</pre>
</main>
</body>
</html>
"""


def start_here(facts: dict[str, str]) -> bytes:
    """Return START-HERE.html; every value of `facts` is escaped and its invisible characters shown."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    shown = {name: visible(value) for name, value in facts.items()}
    style_hash = b64encode(sha256(_STYLE.encode("utf-8")).digest()).decode("ascii")
    return environment.from_string(_PAGE).render(shown, style=_STYLE, style_hash=style_hash).encode("utf-8")
