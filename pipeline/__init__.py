"""Creditbook: what happened, told as it was known on a day, becomes features, points and a decision.

tables     what we receive: contract, mapping, quarantine, the demo economy
history    what was true and known on a day: point in time, open items, the default definition
labels     what happened next          features   what we knew then
train      fits a scorecard and its challenger on both, and measures them
score      applies them to the whole book: PD, grade, limit, reasons, alerts
report     tells it                    flows      takes what needs several rooms
stages     one verb per DVC stage      cli        the command `creditbook`
"""

from pipeline import environment as environment
