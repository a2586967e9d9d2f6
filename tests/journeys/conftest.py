"""Journeys begin with `palaver serve`."""

from palaver.tests.support.served import data, served, token

__all__ = ["data", "served", "token"]
