"""Judges a message of Slack by Slack's own SDK: the shape and the lengths of its blocks.

It reads the message as JSON from the file that is named, and prints what is wrong, one fault a line; `good` where nothing is.
"""

import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

message = json.load(open(sys.argv[1], encoding="utf-8"))
faults = []
blocks = message.get("blocks", [])
if len(blocks) > 50:
    faults.append(f"{len(blocks)} blocks")
for block in blocks:
    parsed = Block.parse(block)
    if parsed is None:
        faults.append(f"no block: {block}")
        continue
    try:
        parsed.validate_json()
        for part in [getattr(parsed, "text", None), *(getattr(parsed, "fields", None) or [])]:
            if part is not None:
                part.validate_json()
    except SlackObjectFormationError as error:
        faults.append(str(error))
if not message.get("text"):
    faults.append("no text for notifications")
print("\n".join(faults) if faults else "good")
