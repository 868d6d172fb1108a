"""The environment the libraries need, set before any of them is imported; what the user has set stays."""

from __future__ import annotations

import os

_SETTINGS = {
    # Busy-waiting OpenMP threads made a one-second fit take a hundred beside another process.
    "OMP_WAIT_POLICY": "passive",
    # Nothing phones home.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # A progress bar tears the lines of a log.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "DVC_NO_ANALYTICS": "1",
    # A model registered by us is never unpickled.
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}

for _name, _value in _SETTINGS.items():
    os.environ.setdefault(_name, _value)
