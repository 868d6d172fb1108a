"""The tests a committee reads before a model may rate customers, one after the other in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.train.committee_benchmark import benchmark_results
from pipeline.train.committee_calibration import calibration_results
from pipeline.train.committee_discrimination import discrimination_results
from pipeline.train.committee_monitored import monitored_results
from pipeline.train.committee_process import process_results
from pipeline.train.committee_stability import stability_results
from pipeline.train.committee_thin_file import thin_file_results

if TYPE_CHECKING:
    from pipeline.train.committee_ground import Ground
    from pipeline.train.committee_result import Result


def committee_results(ground: Ground) -> list[Result]:
    """Discrimination, calibration, stability, process, benchmark, monitoring; docs/validation.md tells of each."""
    return [
        *discrimination_results(ground),
        *calibration_results(ground),
        *thin_file_results(ground),
        *stability_results(ground),
        *process_results(ground),
        *benchmark_results(ground),
        *monitored_results(ground),
    ]


def committee_tests(ground: Ground) -> list[dict[str, Any]]:
    """The same as plain values."""
    return [result.as_json() for result in committee_results(ground)]
