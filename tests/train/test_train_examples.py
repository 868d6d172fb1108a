"""The examples in the docstrings of the training room."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["binning", "development", "splits"])
def test_examples_in_the_docstrings_hold(name):
    failed, tried = doctest.testmod(importlib.import_module(f"pipeline.train.{name}"))
    assert tried
    assert not failed
